package io.attune.engine.sentence;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.nn.MethodWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the files of sentence-transformers say: {@code modules.json} and the folders that it names,
 * {@code sentence_bert_config.json} and {@code config_sentence_transformers.json}.
 *
 * @param size components of an embedding
 * @param maxTokens tokens that are read of a text, special ones included
 * @param prompt comes before every text
 * @param weights what the steps take, by name
 */
record SentenceModules(
    Pooling pooling,
    List<Step> steps,
    int size,
    int maxTokens,
    boolean lowerCase,
    String prompt,
    Map<String, NDArray> weights) {
  private static final String ENCODER = "sentence_bert_config.json";
  private static final String MODEL = "config_sentence_transformers.json";
  private static final long MAX_JSON_BYTES = 1L << 20;

  /** How inputs other than texts are passed on; texts alone are implemented. */
  private static final String MODALITIES = "modality_config";

  /** Values of settings that are implemented without being read. */
  private static final Map<String, String> USUAL =
      Map.of(
          "transformer_task", "feature-extraction",
          "module_input_name", "sentence_embedding",
          "module_output_name", "token_embeddings|sentence_embedding");

  /**
   * Reads the files, if there are any; refuses what is not implemented, naming it.
   *
   * @param scope gets the weights of dense layers
   */
  static SentenceModules read(HubLayout layout, int hiddenSize, NDManager scope) {
    String where = layout.folder().resolve("modules.json").toString();
    ArrayNode list = layout.sentenceModules().orElse(null);
    List<Step> steps = new ArrayList<>();
    Map<String, NDArray> weights = new LinkedHashMap<>();
    Pooling pooling = list == null ? Pooling.DEFAULT : null;
    int size = hiddenSize;
    for (int i = 0; list != null && i < list.size(); i++) {
      String type = list.get(i).path("type").asText();
      Path folder = folder(layout, list.get(i).path("path").asText(""), where);
      switch ((i == 0 ? "first " : pooling == null ? "second " : "") + simpleName(type)) {
        case "first Transformer" -> requireRoot(layout, folder, where);
        case "second Pooling" -> {
          Path config = folder.resolve("config.json");
          pooling =
              Pooling.read(
                  JsonFiles.readObject(config, MAX_JSON_BYTES), hiddenSize, config.toString());
          size = pooling.size(hiddenSize);
        }
        case "Normalize" -> {
          only(folder.resolve("config.json"), Set.of());
          steps.add(SentenceModules::emitNormalize);
        }
        case "Dense" -> {
          Dense dense = Dense.read(folder, size, weights, scope);
          steps.add(dense);
          size = dense.outputs();
        }
        default ->
            throw new EngineException(
                Reason.UNSUPPORTED,
                where
                    + ": module "
                    + i
                    + " is "
                    + type
                    + "; implemented are Transformer, then Pooling, then Normalize and Dense");
      }
    }
    if (pooling == null) {
      throw new EngineException(Reason.UNSUPPORTED, where + " names no Pooling module");
    }
    ObjectNode encoderConfig =
        only(layout.folder().resolve(ENCODER), Set.of("max_seq_length", "do_lower_case"));
    return new SentenceModules(
        pooling,
        List.copyOf(steps),
        size,
        encoderConfig.path("max_seq_length").asInt(0),
        encoderConfig.path("do_lower_case").asBoolean(false),
        prompt(layout),
        Map.copyOf(weights));
  }

  /** The folder of a module; refuses one outside the model's. */
  private static Path folder(HubLayout layout, String path, String where) {
    Path root = layout.folder().normalize();
    Path folder = root.resolve(path).normalize();
    if (!folder.startsWith(root)) {
      throw new EngineException(
          Reason.CORRUPT, where + ": path '" + path + "' leads out of the model's folder");
    }
    return folder;
  }

  private static void requireRoot(HubLayout layout, Path folder, String where) {
    if (!folder.equals(layout.folder().normalize())) {
      throw new EngineException(
          Reason.UNSUPPORTED, where + ": the Transformer is in a folder of its own, " + folder);
    }
  }

  private static String simpleName(String type) {
    return type.substring(type.lastIndexOf('.') + 1);
  }

  /** Emits x / max(|x|, 1e-12) for each row. */
  private static String emitNormalize(MethodWriter out, String x) {
    String norm = out.value("torch.linalg_vector_norm(%s, 2, [1], True)", x);
    return out.value("torch.div(%s, torch.clamp_min(%s, 1e-12))", x, norm);
  }

  /**
   * The prompt of {@code config_sentence_transformers.json} that comes before every text unless
   * another is asked for.
   */
  private static String prompt(HubLayout layout) {
    ObjectNode config = layout.json(MODEL).orElseGet(JsonFiles::newObject);
    JsonNode name = config.path("default_prompt_name");
    if (!name.isTextual()) {
      return "";
    }
    JsonNode prompt = config.path("prompts").path(name.textValue());
    if (!prompt.isTextual()) {
      throw new EngineException(
          Reason.CORRUPT,
          layout.folder().resolve(MODEL) + ": 'default_prompt_name' names no prompt: " + name);
    }
    return prompt.textValue();
  }

  /**
   * Reads an object, empty if there is no such file; refuses settings beside those in {@code read},
   * unless they say what is done anyway.
   */
  static ObjectNode only(Path file, Set<String> read) {
    if (!Files.isRegularFile(file)) {
      return JsonFiles.newObject();
    }
    ObjectNode config = JsonFiles.readObject(file, MAX_JSON_BYTES);
    for (Map.Entry<String, JsonNode> field : config.properties()) {
      JsonNode value = field.getValue();
      boolean empty = value.isNull() || (value.isContainerNode() && value.isEmpty());
      String usual = USUAL.getOrDefault(field.getKey(), "");
      boolean done = Arrays.asList(usual.split("\\|")).contains(value.asText());
      if (!empty && !done && !read.contains(field.getKey()) && !field.getKey().equals(MODALITIES)) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            file + ": '" + field.getKey() + "' is " + value + ", which is not implemented");
      }
    }
    return config;
  }
}
