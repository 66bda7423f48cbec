package io.attune.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * A model folder as Hugging Face lays it out: {@code config.json}, {@code *.safetensors}, {@code
 * tokenizer.json} and the files around them. Read each time it is asked: hold on to the answers.
 */
public record HubLayout(Path folder) {
  private static final long MAX_JSON_BYTES = 16L << 20;
  private static final int MAX_TEMPLATE_BYTES = 1 << 20;

  /** Refuses a folder without {@code config.json}. */
  public static HubLayout of(Path folder) {
    HubLayout layout = new HubLayout(folder);
    layout.require("config.json", folder + " is not a model folder: it has no config.json");
    return layout;
  }

  /** {@code config.json}; refuses one that asks for code of its own ({@code auto_map}). */
  public ObjectNode config() {
    Path path = require("config.json", folder + " has no config.json");
    ObjectNode config = JsonFiles.readObject(path, MAX_JSON_BYTES);
    if (config.hasNonNull("auto_map")) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          folder + "/config.json has 'auto_map': it needs code of its own, which is never run");
    }
    return config;
  }

  public Optional<ObjectNode> generationConfig() {
    return optional("generation_config.json");
  }

  public Optional<ObjectNode> tokenizerConfig() {
    return optional("tokenizer_config.json");
  }

  /** {@code special_tokens_map.json}, which folders of earlier years have. */
  public Optional<ObjectNode> specialTokensMap() {
    return optional("special_tokens_map.json");
  }

  /** {@code modules.json} of sentence-transformers: what makes an embedding, step by step. */
  public Optional<ArrayNode> sentenceModules() {
    return ModelFiles.find(folder, "modules.json")
        .map(path -> JsonFiles.readArray(path, MAX_JSON_BYTES));
  }

  /** A JSON object anywhere in the folder, empty if there is no such file. */
  public Optional<ObjectNode> json(String path) {
    return ModelFiles.findBelow(folder, path)
        .map(file -> JsonFiles.readObject(file, MAX_JSON_BYTES));
  }

  public Path tokenizerJson() {
    return require("tokenizer.json", folder + " has no tokenizer.json");
  }

  /**
   * The chat template: {@code chat_template.jinja}, or {@code chat_template} in {@code
   * tokenizer_config.json} (of several named ones, {@code default}), or {@code chat_template.json}.
   */
  public Optional<String> chatTemplate() {
    return ModelFiles.find(folder, "chat_template.jinja")
        .map(jinja -> ModelFiles.readText(jinja, MAX_TEMPLATE_BYTES))
        .or(() -> template("tokenizer_config.json"))
        .or(() -> template("chat_template.json"));
  }

  /** Opens {@code model.safetensors}, or the shards of {@code model.safetensors.index.json}. */
  public TensorReader openWeights() {
    Optional<Path> single = ModelFiles.find(folder, "model.safetensors");
    if (single.isPresent()) {
      return SafeTensors.open(single.get());
    }
    return ModelFiles.find(folder, "model.safetensors.index.json")
        .map(ShardedTensors::new)
        .orElseThrow(
            () ->
                ForeignFormat.noWeights(
                    folder, "model.safetensors or model.safetensors.index.json"));
  }

  /** {@code chat_template} of a JSON file: the text itself, or a list of named ones. */
  private Optional<String> template(String file) {
    JsonNode node = optional(file).map(json -> json.get("chat_template")).orElse(null);
    if (node == null || node.isNull()) {
      return Optional.empty();
    }
    Optional<JsonNode> text = Optional.of(node);
    if (node.isArray()) {
      text =
          StreamSupport.stream(node.spliterator(), false)
              .filter(named -> named.path("name").asText().equals("default"))
              .findFirst()
              .map(named -> named.path("template"));
    }
    if (text.isPresent() && !text.get().isTextual()) {
      throw new EngineException(
          Reason.CORRUPT,
          folder.resolve(file) + ": 'chat_template' is neither a text nor a list of named texts");
    }
    if (text.isPresent() && text.get().textValue().length() > MAX_TEMPLATE_BYTES) {
      throw new EngineException(
          Reason.CORRUPT,
          folder.resolve(file) + ": 'chat_template' exceeds " + MAX_TEMPLATE_BYTES + " characters");
    }
    return text.map(JsonNode::textValue);
  }

  private Path require(String name, String otherwise) {
    return ModelFiles.find(folder, name)
        .orElseThrow(() -> new EngineException(Reason.IO, otherwise));
  }

  private Optional<ObjectNode> optional(String name) {
    return ModelFiles.find(folder, name).map(path -> JsonFiles.readObject(path, MAX_JSON_BYTES));
  }
}
