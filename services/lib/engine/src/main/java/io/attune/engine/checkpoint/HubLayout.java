package io.attune.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model folder as Hugging Face lays it out: {@code config.json}, {@code *.safetensors}, {@code
 * tokenizer.json} and the files around them. Read each time it is asked: hold on to the answers.
 */
public record HubLayout(Path folder) {
  private static final long MAX_JSON_BYTES = 16L << 20;
  private static final long MAX_TEMPLATE_BYTES = 1L << 20;
  private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl");

  /** Refuses a folder without {@code config.json}. */
  public static HubLayout of(Path folder) {
    if (!Files.isRegularFile(folder.resolve("config.json"))) {
      throw new EngineException(
          Reason.IO, folder + " is not a model folder: it has no config.json");
    }
    return new HubLayout(folder);
  }

  /** {@code config.json}; refuses one that asks for code of its own ({@code auto_map}). */
  public ObjectNode config() {
    ObjectNode config = JsonFiles.readObject(folder.resolve("config.json"), MAX_JSON_BYTES);
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
    Path path = folder.resolve("modules.json");
    return Files.isRegularFile(path)
        ? Optional.of(JsonFiles.readArray(path, MAX_JSON_BYTES))
        : Optional.empty();
  }

  /** A JSON object anywhere in the folder, empty if there is no such file. */
  public Optional<ObjectNode> json(String path) {
    return optional(path);
  }

  public Path tokenizerJson() {
    Path path = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(path)) {
      throw new EngineException(Reason.IO, folder + " has no tokenizer.json");
    }
    return path;
  }

  /**
   * The chat template: {@code chat_template.jinja}, or {@code chat_template} in {@code
   * tokenizer_config.json} (of several named ones, {@code default}), or {@code chat_template.json}.
   */
  public Optional<String> chatTemplate() {
    Path jinja = folder.resolve("chat_template.jinja");
    if (Files.isRegularFile(jinja)) {
      return Optional.of(template(jinja));
    }
    return tokenizerConfig()
        .flatMap(config -> template(config.get("chat_template")))
        .or(
            () ->
                optional("chat_template.json")
                    .flatMap(json -> template(json.get("chat_template"))));
  }

  /** Opens {@code model.safetensors}, or the shards of {@code model.safetensors.index.json}. */
  public TensorReader openWeights() {
    Path single = folder.resolve("model.safetensors");
    if (Files.isRegularFile(single)) {
      return SafeTensors.open(single);
    }
    Path index = folder.resolve("model.safetensors.index.json");
    if (Files.isRegularFile(index)) {
      return new ShardedTensors(index);
    }
    throw new EngineException(
        hasPickle() ? Reason.UNSUPPORTED : Reason.IO,
        folder
            + (hasPickle()
                ? " has its weights in PyTorch's pickle format, which can carry code; convert them"
                    + " to model.safetensors"
                : " has neither model.safetensors nor model.safetensors.index.json"));
  }

  private boolean hasPickle() {
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(f -> PICKLES.stream().anyMatch(f.getFileName().toString()::endsWith));
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + folder + ": " + e, e);
    }
  }

  private String template(Path path) {
    try {
      if (Files.size(path) > MAX_TEMPLATE_BYTES) {
        throw new EngineException(Reason.CORRUPT, path + " exceeds 1 MiB");
      }
      return Files.readString(path);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  private static Optional<String> template(JsonNode node) {
    if (node == null || node.isNull()) {
      return Optional.empty();
    }
    if (node.isTextual()) {
      return Optional.of(node.textValue());
    }
    for (JsonNode named : node) {
      if (named.path("name").asText().equals("default")) {
        return Optional.of(named.path("template").asText());
      }
    }
    return Optional.empty();
  }

  private Optional<ObjectNode> optional(String name) {
    Path path = folder.resolve(name);
    return Files.isRegularFile(path)
        ? Optional.of(JsonFiles.readObject(path, MAX_JSON_BYTES))
        : Optional.empty();
  }
}
