package io.attune.engine.onnx;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes a Hugging Face folder from an exported sentence encoder of the BERT type: {@code
 * config.json}, {@code model.safetensors}, {@code tokenizer.json}, {@code tokenizer_config.json},
 * and {@code modules.json} with {@code 1_Pooling/config.json} for sentence-transformers.
 *
 * <p>Weights and settings come from the graph; it is refused where it computes anything but a BERT.
 */
public final class OnnxImport {
  private static final long MAX_JSON_BYTES = 16L << 20;
  private static final String POOLING = "1_Pooling/config.json";
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";

  private static final List<String> TRAINING_ONLY =
      List.of("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range");

  /** Of sentence-transformers, in their order. */
  private static final List<String> MODULES = List.of("Transformer", "Pooling", "Normalize");

  /**
   * What was imported.
   *
   * @param poolingAssumed whether nothing said how to pool
   */
  public record Summary(
      int layers, long hidden, int heads, Pooling pooling, boolean poolingAssumed) {}

  private OnnxImport() {}

  /**
   * @param source a graph with its tokenizer.json beside it, or a jar that holds both
   * @param out the folder to write, which must not exist
   * @param pooling null for what {@code 1_Pooling/config.json} beside the graph says, or else mean
   */
  public static Summary write(Path source, Path out, @Nullable Pooling pooling) {
    if (Files.exists(out)) {
      throw new EngineException(Reason.INVALID_ARGUMENT, out + " exists already; choose another");
    }
    Path parent = out.toAbsolutePath().getParent();
    try {
      Files.createDirectories(parent);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot create " + parent + ": " + e, e);
    }
    try (OnnxSource files = OnnxSource.open(source, parent)) {
      OnnxGraph graph = OnnxReader.read(files.graph());
      BertEncoder encoder = BertGraph.match(graph);
      Path stated = files.file(POOLING);
      boolean assumed = pooling == null && !Files.exists(stated);
      if (assumed && graph.outputs().contains("sentence_embedding")) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            source + " pools in its graph, which is not read: say how, mean or cls");
      }
      Pooling used = pooling;
      if (used == null) {
        used = assumed ? Pooling.MEAN : Pooling.read(stated);
      }
      writeFolder(files, encoder, used, out);
      return new Summary(encoder.layers(), encoder.hidden(), encoder.heads(), used, assumed);
    }
  }

  private static void writeFolder(
      OnnxSource files, BertEncoder encoder, Pooling pooling, Path out) {
    Path tokenizerJson = files.file("tokenizer.json");
    if (!Files.isRegularFile(tokenizerJson)) {
      throw new EngineException(
          Reason.IO, "there is no tokenizer.json with " + files.graph() + "; lay it beside it");
    }
    WordPieceTokenizer tokenizer = WordPieceTokenizer.read(tokenizerJson);
    tokenizer.checkVocabulary(encoder.vocabulary());
    Path given = files.file(TOKENIZER_CONFIG);
    ObjectNode tokenizerConfig =
        Files.exists(given)
            ? JsonFiles.readObject(given, MAX_JSON_BYTES)
            : tokenizer.config(encoder.positions());
    ObjectNode config = config(encoder, tokenizer.padId());
    complete(config, files.file("config.json"));
    boolean normalizes = normalizes(files.file("modules.json"));
    AtomicFiles.writeFolder(
        out,
        folder -> {
          Files.createDirectory(folder.resolve("1_Pooling"));
          write(folder.resolve("config.json"), config);
          write(folder.resolve(TOKENIZER_CONFIG), tokenizerConfig);
          write(folder.resolve("modules.json"), modules(normalizes));
          write(folder.resolve(POOLING), pooling.config(encoder.hidden()));
          Files.copy(tokenizerJson, folder.resolve("tokenizer.json"));
          SafeTensorsWriter.write(
              folder.resolve("model.safetensors"), tensors(encoder), SafeTensorsWriter.PYTORCH);
        });
  }

  private static List<TensorData> tensors(BertEncoder encoder) {
    List<TensorData> tensors = new ArrayList<>();
    encoder
        .weights()
        .forEach(
            (name, weight) -> {
              OnnxTensor tensor = weight.tensor();
              long[] shape = tensor.shape();
              tensors.add(
                  weight.transposed()
                      ? new TensorData(
                          name,
                          tensor.type(),
                          new long[] {shape[1], shape[0]},
                          () -> new Transposed(tensor))
                      : TensorData.of(name, tensor.type(), shape, tensor.data()));
            });
    return tensors;
  }

  private static ObjectNode config(BertEncoder encoder, int padId) {
    ObjectNode config = JsonFiles.newObject();
    config.putArray("architectures").add("BertModel");
    config.put("model_type", "bert");
    config.put("vocab_size", encoder.vocabulary());
    config.put("hidden_size", encoder.hidden());
    config.put("num_hidden_layers", encoder.layers());
    config.put("num_attention_heads", encoder.heads());
    config.put("intermediate_size", encoder.intermediate());
    config.put("hidden_act", encoder.activation());
    config.put("max_position_embeddings", encoder.positions());
    config.put("type_vocab_size", encoder.tokenTypes());
    config.put("layer_norm_eps", encoder.epsilon());
    config.put("pad_token_id", padId);
    config.put("dtype", dtype(encoder));
    return config;
  }

  private static String dtype(BertEncoder encoder) {
    return switch (encoder.weights().values().iterator().next().tensor().type()) {
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      default -> "float32";
    };
  }

  /**
   * Refuses a config.json beside the graph that contradicts it, and takes from it what a graph does
   * not show: what only training asks for.
   */
  private static void complete(ObjectNode config, Path beside) {
    if (!Files.exists(beside)) {
      return;
    }
    ObjectNode stated = JsonFiles.readObject(beside, MAX_JSON_BYTES);
    for (var field : config.properties()) {
      String key = field.getKey();
      JsonNode other = stated.get(key);
      boolean free = key.equals("architectures") || key.equals("dtype");
      if (!free && other != null && !same(field.getValue(), other)) {
        throw new EngineException(
            Reason.INCOMPATIBLE,
            String.format(
                Locale.ROOT,
                "%s says %s %s, the graph computes with %s",
                beside,
                key,
                other,
                field.getValue()));
      }
    }
    for (String key : TRAINING_ONLY) {
      if (stated.path(key).isNumber()) {
        config.set(key, stated.get(key));
      }
    }
  }

  private static boolean same(JsonNode graph, JsonNode stated) {
    return graph.isNumber() && stated.isNumber()
        ? graph.doubleValue() == stated.doubleValue()
        : graph.equals(stated);
  }

  /** Whether vectors get length 1: what modules.json beside the graph says, else yes. */
  private static boolean normalizes(Path beside) {
    if (!Files.exists(beside)) {
      return true;
    }
    boolean normalizes = false;
    for (JsonNode module : JsonFiles.readArray(beside, MAX_JSON_BYTES)) {
      String type = module.path("type").asText();
      String name = type.substring(type.lastIndexOf('.') + 1);
      if (!MODULES.contains(name)) {
        throw new EngineException(
            Reason.UNSUPPORTED, beside + " has a module of type '" + type + "', which is not read");
      }
      normalizes |= name.equals("Normalize");
    }
    return normalizes;
  }

  private static ArrayNode modules(boolean normalizes) {
    ArrayNode modules = JsonFiles.newObject().arrayNode();
    String[] paths = {"", "1_Pooling", "2_Normalize"};
    for (int i = 0; i < (normalizes ? 3 : 2); i++) {
      ObjectNode module = modules.addObject();
      module.put("idx", i);
      module.put("name", String.valueOf(i));
      module.put("path", paths[i]);
      module.put("type", "sentence_transformers.models." + MODULES.get(i));
    }
    return modules;
  }

  private static void write(Path path, JsonNode json) throws IOException {
    Files.write(path, JsonFiles.pretty(json));
  }
}
