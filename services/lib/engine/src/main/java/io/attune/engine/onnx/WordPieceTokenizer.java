package io.attune.engine.onnx;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What {@code tokenizer.json} of a BERT says that {@code tokenizer_config.json} has to repeat. */
final class WordPieceTokenizer {
  private static final long MAX_BYTES = 16L << 20;

  private final Path path;
  private final ObjectNode json;
  private final Map<String, Integer> added = new HashMap<>();

  private WordPieceTokenizer(Path path) {
    this.path = path;
    this.json = JsonFiles.readObject(path, MAX_BYTES);
    String type = json.path("model").path("type").asText();
    // Files of earlier years do not name the type.
    if (!type.equals("WordPiece") && !json.path("model").has("continuing_subword_prefix")) {
      throw new EngineException(
          Reason.UNSUPPORTED, path + " is a " + type + " tokenizer; a BERT has WordPiece");
    }
    for (JsonNode token : json.path("added_tokens")) {
      added.put(token.path("content").asText(), token.path("id").asInt(-1));
    }
  }

  static WordPieceTokenizer read(Path path) {
    return new WordPieceTokenizer(path);
  }

  /** Refuses a tokenizer with ids beyond a model's vocabulary. */
  void checkVocabulary(long vocabulary) {
    int largest = -1;
    for (JsonNode id : json.path("model").path("vocab")) {
      largest = Math.max(largest, id.asInt(Integer.MAX_VALUE));
    }
    for (int id : added.values()) {
      largest = Math.max(largest, id);
    }
    if (largest < 0 || largest >= vocabulary) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          path + " has ids up to " + largest + ", the model has " + vocabulary + " embeddings");
    }
  }

  /** Id of the padding token. */
  int padId() {
    return added.getOrDefault(pad(), -1);
  }

  private String pad() {
    JsonNode stated = json.path("padding").path("pad_token");
    return known("padding token", stated.isTextual() ? stated.textValue() : "[PAD]");
  }

  /**
   * {@code tokenizer_config.json} for transformers' BertTokenizer.
   *
   * @param positions tokens that the model can place
   */
  ObjectNode config(long positions) {
    ObjectNode config = JsonFiles.newObject();
    config.put("tokenizer_class", "BertTokenizer");
    config.put("model_max_length", positions);
    JsonNode normalizer = json.path("normalizer");
    if (!normalizer.path("type").asText().equals("BertNormalizer")) {
      throw refused("its normalizer is not BertNormalizer");
    }
    // BertTokenizer sets its normalizer anew from these.
    config.put("do_lower_case", normalizer.path("lowercase").asBoolean());
    config.put("tokenize_chinese_chars", normalizer.path("handle_chinese_chars").asBoolean());
    config.set("strip_accents", normalizer.get("strip_accents"));
    config.put("cls_token", boundary("cls"));
    config.put("sep_token", boundary("sep"));
    config.put("pad_token", pad());
    config.put("unk_token", known("token for unknown words", unknown()));
    if (added.containsKey("[MASK]")) {
      config.put("mask_token", "[MASK]");
    }
    return config;
  }

  private String unknown() {
    return json.path("model").path("unk_token").asText();
  }

  /** The token before or after a single sentence. */
  private String boundary(String role) {
    JsonNode processor = json.path("post_processor");
    JsonNode single = processor.path("single");
    String token =
        switch (processor.path("type").asText()) {
          case "BertProcessing" -> processor.path(role).path(0).asText();
          case "TemplateProcessing" ->
              single
                  .path(role.equals("cls") ? 0 : single.size() - 1)
                  .path("SpecialToken")
                  .path("id")
                  .asText();
          default -> "";
        };
    return known(role + " token", token);
  }

  private String known(String role, String token) {
    if (!added.containsKey(token)) {
      throw refused("its " + role + " is not among the added tokens");
    }
    return token;
  }

  private EngineException refused(String what) {
    return new EngineException(
        Reason.UNSUPPORTED,
        path + ": " + what + "; lay the model's tokenizer_config.json beside the graph");
  }
}
