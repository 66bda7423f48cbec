package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kind of adapter trained: steps of PEFT and torch's AdamW from the same start, and gradients
 * against finite differences. Bottleneck adapters, which PEFT has not, are those of {@code
 * golden/bottleneck/make_bottleneck.py}.
 */
class AdapterTrainingTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dora",
        "ia3",
        "vera",
        "prompt-tuning",
        "prefix-tuning",
        "prefix-projection",
        "p-tuning",
        "p-tuning-lstm",
        "lora-embedding",
        "dora-embedding",
        "bottleneck/llama-houlsby",
        "bottleneck/llama-pfeiffer",
        "bottleneck/llama-parallel",
        "bottleneck/gpt2-channel"
      })
  void stepsAreThoseOfPeftAndTorch(String name) throws IOException {
    Path start = Golden.path(name.contains("/") ? name : "adapters/training/" + name);
    JsonNode run = Golden.json(start.resolve("run.json"));
    int count = run.get("steps").size();
    double rate = run.path("learning_rate").asDouble(2e-3);
    DecoderModel model = Runs.architecture(run.get("base").asText());
    try (Weights weights = Runs.weights(model, run.get("base").asText(), false);
        Adapter adapter = adapter(Runs.base(model, weights), start);
        Policy policy = Policy.ofAdapter(model, weights, adapter, null)) {
      Runs.assertSteps(run, Runs.arguments(count, rate, 0), policy, folder);
      assertWrites(adapter, start.resolve("final.safetensors"));
    }
  }

  /** The adapter as PEFT saved it; while it is computed by a network, with that network's state. */
  private static Adapter adapter(BaseModel base, Path start) {
    AdapterFiles files = AdapterFiles.open(start);
    Path encoder = start.resolve("encoder.safetensors");
    if (!Files.exists(encoder)
        || start.endsWith("prompt-tuning")
        || start.endsWith("prefix-tuning")) {
      return Adapters.read(files, base);
    }
    Adapter adapter =
        Adapters.create(files.config(), base, new Start(1, Map.of(), text -> new int[0]));
    try (SafeTensors state = SafeTensors.open(encoder);
        NDManager scope = Torch.scope("test")) {
      adapter
          .parameters()
          .forEach((name, array) -> Torch.copy(part(state, name, array, scope), array));
    }
    return adapter;
  }

  /**
   * PEFT has one layer for the keys and values of all layers of the model; here each has its own.
   */
  private static NDArray part(SafeTensors state, String name, NDArray like, NDManager scope) {
    String[] split = name.split("\\.layers\\.|\\.(?=weight$|bias$)");
    boolean whole = state.has(name);
    String stored = whole ? name : split[0] + "." + split[2];
    ByteBuffer data = state.data(stored).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[(int) like.size()];
    int layer = whole ? 0 : Integer.parseInt(split[1]);
    data.asFloatBuffer().position(layer * values.length).get(values);
    return scope.create(values, like.getShape());
  }

  private void assertWrites(Adapter adapter, Path expected) {
    AdapterFiles.write(folder, adapter.config(), adapter.tensors());
    Golden.assertTensors(folder.resolve(AdapterFiles.WEIGHTS), expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora-patterns",
        "lora-embedding",
        "lora-bias-all",
        "dora",
        "dora-embedding",
        "ia3-bias",
        "vera-drawn",
        "prompt-tuning",
        "prefix-tuning",
        "training/prefix-projection",
        "training/p-tuning",
        "training/p-tuning-lstm",
        "../bottleneck/llama-houlsby",
        "../bottleneck/llama-pfeiffer",
        "../bottleneck/llama-parallel",
        "../bottleneck/gpt2-channel"
      })
  void gradientsAreFiniteDifferences(String name) throws IOException {
    Path start = Golden.path("adapters/" + name);
    String base = base(start);
    DecoderModel model = Runs.architecture(base);
    List<SftExample> rows = Runs.sftRows("sft-lora").subList(0, 3);
    try (Weights weights = Runs.weights(model, base, false);
        Adapter adapter = adapter(Runs.base(model, weights), start);
        // Once more as its own reference: there DoRA's norms stay as they are, as its derivative
        // has it.
        Policy policy = Policy.ofAdapter(model, weights, adapter, adapter);
        NDManager scope = Torch.scope("test")) {
      Reader<SftExample> reader = new Reader<>(policy, new Sft());
      double normaliser = rows.stream().mapToDouble(new Sft()::weight).sum();
      reader.forwardBackward(rows, null, normaliser);
      Map<String, List<String>> groups = new LinkedHashMap<>();
      for (String parameter : adapter.parameters().keySet()) {
        groups.computeIfAbsent(group(parameter), g -> new ArrayList<>()).add(parameter);
      }
      for (Map.Entry<String, List<String>> group : groups.entrySet()) {
        Map<String, float[]> gradient = new LinkedHashMap<>();
        for (String parameter : group.getValue()) {
          NDArray leaf = adapter.parameters().get(parameter);
          gradient.put(parameter, Torch.gradient(leaf, scope).toFloatArray());
        }
        boolean frozenNorms = !group.getKey().equals("lora_magnitude_vector");
        // What an adapter adds is scaled, so that a step's effect is alike for all.
        double step = 5e-3 / adapter.config().path("scaling").asDouble(1);
        assertSlope(group.getKey(), adapter, gradient, step, reader, rows, normaliser, frozenNorms);
      }
    }
  }

  private static String base(Path adapter) throws IOException {
    for (String file : List.of("expected.json", "run.json")) {
      if (Files.exists(adapter.resolve(file))) {
        return new com.fasterxml.jackson.databind.ObjectMapper()
            .readTree(adapter.resolve(file).toFile())
            .get("base")
            .asText();
      }
    }
    throw new IllegalArgumentException(adapter + " has no reference");
  }

  /** Parameters of one role over all layers. */
  private static String group(String parameter) {
    String role = parameter.replaceAll(".*\\.((lora|ia3|vera)_\\w+).*", "$1");
    return role.replaceAll("layers\\.\\d+", "layers");
  }

  /**
   * Along the gradient and some chance: a slope that any wrong part of the gradient would change.
   */
  private static void assertSlope(
      String what,
      Adapter adapter,
      Map<String, float[]> gradient,
      double step,
      Reader<SftExample> reader,
      List<SftExample> rows,
      double normaliser,
      boolean reference) {
    double length = Math.sqrt(dot(gradient, gradient));
    assertThat(length).as("gradient of %s", what).isPositive();
    Map<String, float[]> direction = new LinkedHashMap<>();
    Random random = new Random(7);
    long count = gradient.values().stream().mapToLong(g -> g.length).sum();
    gradient.forEach(
        (name, values) -> {
          float[] part = new float[values.length];
          for (int i = 0; i < part.length; i++) {
            part[i] = (float) (values[i] / length + random.nextGaussian() / Math.sqrt(count));
          }
          direction.put(name, part);
        });
    double up = loss(adapter, direction, step, reader, rows, normaliser, reference);
    double down = loss(adapter, direction, -step, reader, rows, normaliser, reference);
    double slope = dot(gradient, direction);
    assertThat((up - down) / (2 * step))
        .as("slope of %s", what)
        .isCloseTo(slope, within(2e-4 + 0.01 * Math.abs(slope)));
  }

  private static double loss(
      Adapter adapter,
      Map<String, float[]> direction,
      double by,
      Reader<SftExample> reader,
      List<SftExample> rows,
      double normaliser,
      boolean reference) {
    Map<String, float[]> before = new LinkedHashMap<>();
    direction.forEach(
        (name, part) -> {
          float[] values = adapter.parameters().get(name).toFloatArray();
          before.put(name, values.clone());
          for (int i = 0; i < values.length; i++) {
            values[i] += (float) (by * part[i]);
          }
          put(adapter, name, values);
        });
    double loss = new Sft().loss(rows, reader.read(rows, reference), null, normaliser).value();
    before.forEach((name, values) -> put(adapter, name, values));
    return loss;
  }

  private static void put(Adapter adapter, String name, float[] values) {
    NDArray leaf = adapter.parameters().get(name);
    try (NDManager scope = Torch.scope("test")) {
      Torch.copy(scope.create(values, leaf.getShape()), leaf);
    }
  }

  private static double dot(Map<String, float[]> a, Map<String, float[]> b) {
    return a.keySet().stream()
        .mapToDouble(
            name -> {
              double sum = 0;
              for (int i = 0; i < a.get(name).length; i++) {
                sum += (double) a.get(name)[i] * b.get(name)[i];
              }
              return sum;
            })
        .sum();
  }
}
