package io.attune.engine.gguf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * {@code tokenizer.json} and {@code tokenizer_config.json}, rebuilt from the metadata. Written by
 * the piece: a large vocabulary is never held as JSON.
 */
final class HubTokenizer {
  private static final String MERGES = "tokenizer.ggml.merges";
  private static final String SPACE = "\u2581";

  private final GgufMetadata metadata;
  private final TokenVocabulary vocabulary;

  /** Empty for SentencePiece. */
  private final Optional<PreTokenizer> byteLevel;

  private final boolean addsBos;
  private final boolean addsEos;

  private HubTokenizer(
      GgufMetadata metadata, TokenVocabulary vocabulary, Optional<PreTokenizer> byteLevel) {
    this.metadata = metadata;
    this.vocabulary = vocabulary;
    this.byteLevel = byteLevel;
    boolean begins = byteLevel.map(PreTokenizer::beginsText).orElse(true);
    this.addsBos = adds("tokenizer.ggml.add_bos_token", begins, vocabulary.roles().bos());
    this.addsEos = adds("tokenizer.ggml.add_eos_token", false, vocabulary.roles().eos());
  }

  private boolean adds(String key, boolean absent, OptionalInt token) {
    Optional<Boolean> flag = metadata.flag(key);
    if (flag.orElse(false) && token.isEmpty()) {
      throw metadata.corrupt(key, "is true, but the file does not say which token that is");
    }
    return flag.orElse(absent) && token.isPresent();
  }

  /** Refuses a kind of tokenizer that is not implemented, by its name. */
  static HubTokenizer read(GgufMetadata metadata) {
    String key = "tokenizer.ggml.model";
    String model = metadata.text(key).orElseThrow(() -> metadata.corrupt(key, "is missing"));
    return switch (model) {
      case "gpt2" ->
          new HubTokenizer(
              metadata, TokenVocabulary.read(metadata, false), Optional.of(preTokenizer(metadata)));
      case "llama" ->
          new HubTokenizer(metadata, TokenVocabulary.read(metadata, true), Optional.empty());
      default ->
          throw metadata.unsupported(
              key,
              "is '" + model + "'; gpt2 (byte-level) and llama (SentencePiece) can be imported");
    };
  }

  private static PreTokenizer preTokenizer(GgufMetadata metadata) {
    String key = "tokenizer.ggml.pre";
    String name = metadata.text(key).orElse("default");
    return PreTokenizer.named(name)
        .orElseThrow(
            () ->
                metadata.unsupported(key, "is '" + name + "'; known are " + PreTokenizer.names()));
  }

  boolean isByteLevel() {
    return byteLevel.isPresent();
  }

  TokenRoles roles() {
    return vocabulary.roles();
  }

  int tokens() {
    return vocabulary.tokens().size();
  }

  /**
   * @param maxLength tokens that the model can read
   */
  ObjectNode config(int maxLength) {
    ObjectNode config = JsonFiles.newObject();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    put(config, "bos_token", roles().bos());
    put(config, "eos_token", roles().eos());
    put(config, "unk_token", roles().unk());
    put(config, "pad_token", roles().pad());
    config.put("model_max_length", maxLength);
    config.put("clean_up_tokenization_spaces", false);
    return config;
  }

  private void put(ObjectNode config, String key, OptionalInt id) {
    if (id.isPresent()) {
      config.put(key, vocabulary.tokens().get(id.getAsInt()));
    } else {
      config.putNull(key);
    }
  }

  void writeJson(OutputStream out) throws IOException {
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeStringField("version", "1.0");
      json.writeNullField("truncation");
      json.writeNullField("padding");
      writeAddedTokens(json);
      json.writeNullField("normalizer");
      write(json, "pre_tokenizer", byteLevel.map(PreTokenizer::json).orElseGet(this::metaspace));
      writePostProcessor(json);
      write(
          json,
          "decoder",
          byteLevel.isPresent() ? PreTokenizer.byteLevel(true) : sentencePieceDecoder());
      writeModel(json);
      json.writeEndObject();
    }
  }

  private void writeAddedTokens(JsonGenerator json) throws IOException {
    SortedSet<Integer> all = new TreeSet<>(vocabulary.special());
    all.addAll(vocabulary.added());
    json.writeArrayFieldStart("added_tokens");
    for (int id : all) {
      json.writeStartObject();
      json.writeNumberField("id", id);
      json.writeStringField("content", vocabulary.tokens().get(id));
      json.writeBooleanField("single_word", false);
      json.writeBooleanField("lstrip", false);
      json.writeBooleanField("rstrip", false);
      json.writeBooleanField("normalized", false);
      json.writeBooleanField("special", vocabulary.special().contains(id));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private boolean addsSpace() {
    return metadata.flag("tokenizer.ggml.add_space_prefix").orElse(true);
  }

  private ObjectNode metaspace() {
    ObjectNode node = JsonFiles.newObject();
    node.put("type", "Metaspace");
    node.put("replacement", SPACE);
    node.put("prepend_scheme", addsSpace() ? "first" : "never");
    node.put("split", false);
    return node;
  }

  private ObjectNode sentencePieceDecoder() {
    ObjectNode node = JsonFiles.newObject();
    node.put("type", "Sequence");
    ArrayNode steps = node.putArray("decoders");
    ObjectNode replace = steps.addObject();
    replace.put("type", "Replace");
    replace.putObject("pattern").put("String", SPACE);
    replace.put("content", " ");
    steps.addObject().put("type", "ByteFallback");
    steps.addObject().put("type", "Fuse");
    if (addsSpace()) {
      ObjectNode strip = steps.addObject();
      strip.put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    return node;
  }

  private void writePostProcessor(JsonGenerator json) throws IOException {
    if (!addsBos && !addsEos) {
      json.writeNullField("post_processor");
      return;
    }
    ObjectNode processor = JsonFiles.newObject();
    processor.put("type", "TemplateProcessing");
    template(processor.putArray("single"), "A");
    ArrayNode pair = processor.putArray("pair");
    template(pair, "A");
    template(pair, "B");
    ObjectNode tokens = processor.putObject("special_tokens");
    if (addsBos) {
      describe(tokens, roles().bos().getAsInt());
    }
    if (addsEos) {
      describe(tokens, roles().eos().getAsInt());
    }
    write(json, "post_processor", processor);
  }

  private void template(ArrayNode into, String sequence) {
    int type = sequence.equals("A") ? 0 : 1;
    if (addsBos) {
      special(into, roles().bos().getAsInt(), type);
    }
    into.addObject().putObject("Sequence").put("id", sequence).put("type_id", type);
    if (addsEos) {
      special(into, roles().eos().getAsInt(), type);
    }
  }

  private void special(ArrayNode into, int id, int type) {
    String token = vocabulary.tokens().get(id);
    into.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
  }

  private void describe(ObjectNode tokens, int id) {
    String token = vocabulary.tokens().get(id);
    ObjectNode described = tokens.putObject(token);
    described.put("id", token);
    described.putArray("ids").add(id);
    described.putArray("tokens").add(token);
  }

  private void writeModel(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("model");
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    if (byteLevel.isEmpty() && roles().unk().isPresent()) {
      json.writeStringField("unk_token", vocabulary.tokens().get(roles().unk().getAsInt()));
    } else {
      json.writeNullField("unk_token");
    }
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", byteLevel.isEmpty());
    json.writeBooleanField("byte_fallback", byteLevel.isEmpty());
    json.writeBooleanField("ignore_merges", byteLevel.map(PreTokenizer::wholeWords).orElse(false));
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < tokens(); id++) {
      json.writeNumberField(vocabulary.tokens().get(id), id);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    writeMerges(json);
    json.writeEndArray();
    json.writeEndObject();
  }

  private void writeMerges(JsonGenerator json) throws IOException {
    if (metadata.has(MERGES)) {
      try {
        metadata.forEachText(MERGES, (merge, index) -> writeMerge(json, merge, index));
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    } else if (byteLevel.isPresent()) {
      throw metadata.corrupt(MERGES, "is missing");
    } else {
      for (SentencePieceMerges.Merge merge : SentencePieceMerges.of(metadata, vocabulary)) {
        json.writeArray(
            new String[] {
              vocabulary.tokens().get(merge.left()), vocabulary.tokens().get(merge.right())
            },
            0,
            2);
      }
    }
  }

  private void writeMerge(JsonGenerator json, String merge, int index) {
    int space = merge.indexOf(' ', 1);
    String left = space < 0 ? merge : merge.substring(0, space);
    String right = space < 0 ? "" : merge.substring(space + 1);
    for (String token : new String[] {left, right, left + right}) {
      if (!vocabulary.ids().containsKey(token)) {
        throw metadata.corrupt(
            MERGES, "has '" + merge + "' at index " + index + ", but '" + token + "' is no token");
      }
    }
    try {
      json.writeArray(new String[] {left, right}, 0, 2);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A small part; the large ones are written field by field. */
  private static void write(JsonGenerator json, String field, ObjectNode node) throws IOException {
    json.writeFieldName(field);
    json.writeRawValue(node.toString());
  }
}
