package io.attune.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.Digests;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.Rows;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.Weights;
import io.attune.engine.report.ReportSettings;
import io.attune.engine.train.AlarmSettings;
import io.attune.engine.train.TrainingSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a training run writes besides its checkpoints, and what makes it the same run. */
final class RunOutput {
  private static final String MODEL = "model.safetensors";

  private final TrainingSpec spec;
  private final TrainingSettings settings;
  private final PretrainedModel model;

  RunOutput(TrainingSpec spec, TrainingSettings settings, PretrainedModel model) {
    this.spec = spec;
    this.settings = settings;
    this.model = model;
  }

  /** Changes with anything that changes the result. */
  String fingerprint() {
    return fingerprint(List.of());
  }

  /**
   * As the other.
   *
   * @param more what else changes the result
   */
  String fingerprint(List<String> more) {
    MessageDigest digest = Digests.sha256();
    List<String> parts =
        new ArrayList<>(
            List.of(
                spec.objective(),
                spec.method(),
                learning().toString(),
                dataDigest(spec.data()),
                baseDigest(),
                model.contractSha256()));
    if (spec.initAdapter() != null) {
      parts.add(Digests.sha256(spec.initAdapter().resolve(AdapterFiles.WEIGHTS)));
    }
    if (settings.evaluation().enabled()) {
      parts.add(dataDigest(spec.evalData()));
    }
    parts.addAll(more);
    digest.update(String.join("\n", parts).getBytes(StandardCharsets.UTF_8));
    return Digests.hex(digest);
  }

  /** The parameters but those that only watch the run. */
  private Map<String, String> learning() {
    Map<String, String> parameters = new TreeMap<>(spec.parameters());
    parameters.keySet().removeAll(ReportSettings.NAMES);
    parameters.keySet().removeIf(name -> name.startsWith(AlarmSettings.PREFIX));
    return parameters;
  }

  /** What the run is, for people to see. */
  Map<String, String> described() {
    Map<String, String> described = new TreeMap<>(spec.parameters());
    described.put("objective", spec.objective());
    described.put("method", spec.method());
    described.put("model", spec.model().toString());
    described.put("data", spec.data().toString());
    if (spec.initAdapter() != null) {
      described.put("init_adapter", spec.initAdapter().toString());
    }
    return described;
  }

  private static String dataDigest(Path data) {
    return Rows.files(data).stream().map(Digests::sha256).collect(Collectors.joining(","));
  }

  /** Of the weights, or of the index that lists them; of the config where they start at random. */
  String baseDigest() {
    for (String name : List.of(MODEL, MODEL + ".index.json", "config.json")) {
      if (Files.isRegularFile(spec.model().resolve(name)) && !settings.initWeights()) {
        return Digests.sha256(spec.model().resolve(name));
      }
    }
    return Digests.sha256(spec.model().resolve("config.json"));
  }

  /** The unchanged weights, mapped from their file. */
  Weights reference() {
    if (settings.initWeights()) {
      throw new IllegalArgumentException(
          "objective "
              + spec.objective()
              + " compares with a trained model; init_weights is random");
    }
    try (TensorReader file = HubLayout.of(spec.model()).openWeights()) {
      return Weights.read(model.architecture(), file, false);
    }
  }

  /**
   * PEFT's two files, and what the adapter relies on.
   *
   * @param scale what its scores mean; null where it gives none
   */
  void writeAdapter(Adapter adapter, @Nullable RewardScale scale) {
    writeAdapter(adapter, scale, spec.out());
  }

  /** As the other, into another folder. */
  void writeAdapter(Adapter adapter, @Nullable RewardScale scale, Path folder) {
    AdapterFiles.write(folder, adapter.config(), adapter.tensors());
    var attune = described(scale);
    attune.put("base_model_sha256", baseDigest());
    if (classifier() != null) {
      classifier().describeHead(attune); // PEFT keeps nothing of it
    }
    AtomicFiles.write(folder.resolve(AdapterFiles.ATTUNE), JsonFiles.pretty(attune));
  }

  private ObjectNode described(@Nullable RewardScale scale) {
    var attune = JsonFiles.newObject();
    attune.put(PretrainedModel.CONTRACT, model.contractSha256());
    attune.put("objective", spec.objective());
    if (scale != null) {
      scale.write(attune);
    }
    return attune;
  }

  /**
   * The weights, and the files beside those that training started from.
   *
   * @param scale as in {@link #writeAdapter}
   */
  void writeModel(Weights weights, @Nullable RewardScale scale) {
    List<TensorData> tensors = new ArrayList<>();
    weights.parameters().forEach((name, array) -> tensors.add(TensorArrays.write(name, array)));
    for (String name : model.architecture().buffers().keySet()) {
      if (weights.get(name) != null) { // fresh weights have none
        tensors.add(TensorArrays.write(name, weights.get(name)));
      }
    }
    SafeTensorsWriter.write(spec.out().resolve(MODEL), tensors, SafeTensorsWriter.PYTORCH);
    var config = HubLayout.of(spec.model()).config();
    config.remove("torch_dtype");
    config.put("dtype", "float32");
    if (classifier() != null) {
      config.putArray("architectures").add(classifier().className());
      classifier().describeHead(config);
    }
    AtomicFiles.write(spec.out().resolve("config.json"), JsonFiles.pretty(config));
    if (scale != null) {
      byte[] attune = JsonFiles.pretty(described(scale));
      AtomicFiles.write(spec.out().resolve(AdapterFiles.ATTUNE), attune);
    }
    try (Stream<Path> files = Files.list(spec.model())) {
      for (Path file : files.filter(RunOutput::describesTokens).toList()) {
        AtomicFiles.write(
            spec.out().resolve(file.getFileName().toString()), Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot copy from " + spec.model() + ": " + e, e);
    }
  }

  /** The encoder with its head, where that is what is trained; else null. */
  private @Nullable EncoderModel classifier() {
    return model.architecture() instanceof EncoderModel encoder
            && encoder.task() != EncoderTask.FEATURE_EXTRACTION
        ? encoder
        : null;
  }

  static boolean describesTokens(Path file) {
    String name = file.getFileName().toString();
    return List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json")
        .contains(name);
  }
}
