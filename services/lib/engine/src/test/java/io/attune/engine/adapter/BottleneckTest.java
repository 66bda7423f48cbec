package io.attune.engine.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.LayerNorm;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.PaddedAttention;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import io.attune.engine.nn.Sublayer.Kind;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One sublayer with an adapter against loops, its start, and the settings that are refused. */
class BottleneckTest {
  private static final int N = 3;
  private static final int E = 6;
  private static final double EPSILON = 1e-5;

  private static final List<Sublayer> SUBLAYERS =
      List.of(
          new Sublayer("encoder.0", 0, Kind.SELF_ATTENTION, E),
          new Sublayer("encoder.0", 0, Kind.FEED_FORWARD, E),
          new Sublayer("decoder.0", 1, Kind.SELF_ATTENTION, E),
          new Sublayer("decoder.0", 1, Kind.CROSS_ATTENTION, E),
          new Sublayer("decoder.0", 1, Kind.FEED_FORWARD, E));

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"original_ln_before\": false                              | relu | true",
        "\"original_ln_before\": false, \"scaling\": 0.5            | tanh | false",
        "\"original_ln_before\": true                               | tanh | true",
        "\"original_ln_before\": true, \"scaling\": \"channel\"     | relu | false",
        "\"is_parallel\": true, \"scaling\": 4.0                    | tanh | true",
        "\"is_parallel\": true, \"scaling\": \"learned\"            | relu | false"
      })
  void theStreamIsThatOfTheDefinition(String settings, String activation, boolean postNorm) {
    ObjectNode config =
        config(settings + ", \"non_linearity\": \"" + activation + "\", \"reduction_factor\": 2.5");
    try (NDManager scope = Torch.scope("test");
        Adapter adapter = Adapters.create(config, base(), start())) {
      randomise(adapter, scope);
      double[][] stream = matrix(scope.randomNormal(new Shape(N, E)));
      double[][] result = matrix(scope.randomNormal(new Shape(N, E)));
      double[] weight = matrix(scope.randomNormal(new Shape(1, E)))[0];
      double[] bias = matrix(scope.randomNormal(new Shape(1, E)))[0];
      UnaryOperator<double[]> norm = x -> postNorm ? normalised(x, weight, bias) : x;
      Map<String, NDArray> norms =
          Map.of("norm.weight", array(scope, weight), "norm.bias", array(scope, bias));

      float[] found = run(scope, adapter, norms, stream, result, postNorm);

      DoubleUnaryOperator f = activation.equals("relu") ? x -> Math.max(0, x) : Math::tanh;
      for (int n = 0; n < N; n++) {
        double[] expected = expected(adapter, config, stream[n], result[n], norm, f);
        for (int e = 0; e < E; e++) {
          assertThat((double) found[n * E + e]).isCloseTo(expected[e], within(1e-5));
        }
      }
    }
  }

  /** The stream behind the sublayer, written out. */
  private static double[] expected(
      Adapter adapter,
      ObjectNode config,
      double[] stream,
      double[] result,
      UnaryOperator<double[]> norm,
      DoubleUnaryOperator activation) {
    String module = "encoder.0.output_adapters.";
    double[] x = result;
    if (config.path("is_parallel").asBoolean()) {
      x = stream;
    } else if (config.path("original_ln_before").asBoolean()) {
      x = norm.apply(sum(stream, result));
    }
    double[] low = affine(adapter, module + "adapter_down.0", x);
    assertThat(low).hasSize(2); // 6 / 2.5
    double[] high =
        affine(adapter, module + "adapter_up", Arrays.stream(low).map(activation).toArray());
    for (int e = 0; e < E; e++) {
      if (config.path("scaling").isTextual()) {
        float[] scaling = adapter.weight(module + "scaling").toFloatArray();
        high[e] *= scaling[scaling.length == 1 ? 0 : e];
      } else {
        high[e] *= config.path("scaling").asDouble(1);
      }
    }
    return norm.apply(sum(stream, sum(result, high)));
  }

  private static double[] affine(Adapter adapter, String module, double[] x) {
    float[] weight = adapter.weight(module + ".weight").toFloatArray();
    float[] bias = adapter.weight(module + ".bias").toFloatArray();
    double[] y = new double[bias.length];
    for (int o = 0; o < y.length; o++) {
      y[o] = bias[o];
      for (int i = 0; i < x.length; i++) {
        y[o] += weight[o * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  private static double[] normalised(double[] x, double[] weight, double[] bias) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + EPSILON) * weight[i] + bias[i]);
    return y;
  }

  private static float[] run(
      NDManager scope,
      Adapter adapter,
      Map<String, NDArray> norms,
      double[][] stream,
      double[][] result,
      boolean postNorm) {
    Seams seams = adapter.wrap(new Seams(new DenseProjection(), new PaddedAttention()), false);
    MethodWriter out = new MethodWriter();
    String h =
        seams
            .residual()
            .emit(
                out,
                SUBLAYERS.get(1),
                "stream",
                "result",
                x -> postNorm ? LayerNorm.emit(out, x, "norm", E, EPSILON) : x);
    out.line("return %s", h);
    String text =
        out.method(
            "run", "(self: SELF, stream: Tensor, result: Tensor, w: List[Tensor]) -> Tensor");
    List<NDArray> weights =
        out.weights().stream()
            .map(n -> norms.containsKey(n) ? norms.get(n) : adapter.weight(n))
            .toList();
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      NDList inputs = new NDList(array(scope, stream), array(scope, result));
      return TorchPrograms.compile(text).run(scope, "run", inputs, weights).get(0).toFloatArray();
    }
  }

  private static void randomise(Adapter adapter, NDManager scope) {
    adapter
        .parameters()
        .values()
        .forEach(array -> Torch.copy(scope.randomNormal(array.getShape()), array));
  }

  private static double[][] matrix(NDArray array) {
    float[] values = array.toFloatArray();
    int columns = (int) array.getShape().get(1);
    double[][] rows = new double[values.length / columns][columns];
    for (int i = 0; i < values.length; i++) {
      rows[i / columns][i % columns] = values[i];
    }
    return rows;
  }

  private static NDArray array(NDManager scope, double[][] rows) {
    double[] all = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    return array(scope, all).reshape(rows.length, rows[0].length);
  }

  private static NDArray array(NDManager scope, double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return scope.create(narrow);
  }

  /** AdapterHub's three ways to begin. */
  @ParameterizedTest
  @CsvSource({"bert, 0.02, 0.02", "mam_adapter, 0.0722, 0", "houlsby, 0.0088, 0.0088"})
  void startsAsAdapterHubStarts(String init, double down, double up) {
    int size = 64;
    List<Sublayer> wide = List.of(new Sublayer("0", 0, Kind.FEED_FORWARD, size));
    ObjectNode config =
        config(
            "\"init_weights\": \""
                + init
                + "\", \"scaling\": \"learned\", \"reduction_factor\": 1");
    try (Adapter adapter = Adapters.create(config, base(wide), start())) {
      String module = "0.output_adapters.";
      assertDeviation(adapter.weight(module + "adapter_down.0.weight"), down);
      assertDeviation(adapter.weight(module + "adapter_up.weight"), up);
      assertThat(adapter.weight(module + "adapter_down.0.bias").toFloatArray()).containsOnly(0);
      assertThat(adapter.weight(module + "adapter_up.bias").toFloatArray()).containsOnly(0);
      assertThat(adapter.weight(module + "scaling").toFloatArray()).containsExactly(1);
      double most = init.equals("bert") ? 1 : init.equals("houlsby") ? 0.02 : 1 / Math.sqrt(size);
      for (float value : adapter.weight(module + "adapter_down.0.weight").toFloatArray()) {
        assertThat(Math.abs(value)).isLessThanOrEqualTo((float) most);
      }
    }
  }

  private static void assertDeviation(NDArray array, double expected) {
    double square = 0;
    for (float value : array.toFloatArray()) {
      square += (double) value * value;
    }
    assertThat(Math.sqrt(square / array.size())).isCloseTo(expected, within(0.05 * expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"mh_adapter\": true, \"cross_adapter\": true | encoder.0.attention_adapters,"
            + " encoder.0.output_adapters, decoder.0.attention_adapters,"
            + " decoder.0.cross_attention_adapters, decoder.0.output_adapters",
        "\"mh_adapter\": true, \"output_adapter\": false, \"leave_out\": [0] |"
            + " decoder.0.attention_adapters",
        "\"leave_out\": [1] | encoder.0.output_adapters"
      })
  void sitsWhereTheSettingsSay(String settings, String modules) {
    try (Adapter adapter = Adapters.create(config(settings), base(), start())) {
      assertThat(
              adapter.parameters().keySet().stream()
                  .map(name -> name.replaceAll("\\.adapter_.*", ""))
                  .distinct())
          .containsExactly(modules.split(",\\s*"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"0\": 2, \"1\": 3} | 3, 2",
        "{\"0\": 1.5, \"default\": 100} | 4, 1",
        "0.5 | 12, 12"
      })
  void theBottlenecksSizeFollowsFromItsLayer(String reduction, String sizes) {
    ObjectNode config = config("\"reduction_factor\": " + reduction);
    try (Adapter adapter = Adapters.create(config, base(), start())) {
      List<String> found =
          List.of("encoder.0", "decoder.0").stream()
              .map(layer -> adapter.weight(layer + ".output_adapters.adapter_up.weight"))
              .map(weight -> String.valueOf(weight.getShape().get(1)))
              .toList();
      assertThat(found).containsExactly(sizes.split(",\\s*"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"ln_after\": true                        | 'ln_after' is true; this setting is not",
        "\"phm_layer\": true                       | 'phm_layer' is true",
        "\"inv_adapter\": \"nice\"                 | 'inv_adapter' is \"nice\"",
        "\"stochastic_depth\": 0.1                 | 'stochastic_depth' is 0.1",
        "\"original_ln_after\": false              | 'original_ln_after' is false; only true",
        "\"residual_before_ln\": false             | 'residual_before_ln' is false",
        "\"residual_before_ln\": \"post_add\"      | 'residual_before_ln' is \"post_add\"",
        "\"output_adapter\": false                 | 'output_adapter' is false, and so are",
        "\"reduction_factor\": 0                   | 'reduction_factor' has 0.0; it must be",
        "\"reduction_factor\": 1e-300              | 'reduction_factor' has 1.0E-300, which makes",
        "\"reduction_factor\": {\"0\": 2}          | 'reduction_factor' has none for layer 1",
        "\"reduction_factor\": {\"x\": 2}          | 'reduction_factor' has 'x', not the index",
        "\"reduction_factor\": {\"7\": 2, \"default\": 2} | names layer 7; there are 2",
        "\"scaling\": \"wide\"                     | 'scaling' is \"wide\"; implemented are learned",
        "\"non_linearity\": \"sine\"               | 'non_linearity' is sine; implemented are",
        "\"leave_out\": [2]                        | leave_out names layer 2; there are 2",
        "\"leave_out\": [0, 1]                     | leave no layer of this model",
        "\"leave_out\": \"all\"                    | 'leave_out' is \"all\", not a list",
        "\"init_weights\": \"zero\"                | 'init_weights' is \"zero\"; implemented are",
        "\"dropout\": 1                            | 'dropout' is 1.0; it must be in"
      })
  void refusesByName(String settings, String message) {
    assertThatThrownBy(() -> Adapters.create(config(settings), base(), start()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void crossAttentionIsRefusedWhereThereIsNone(boolean output) {
    ObjectNode config = config("\"cross_adapter\": true, \"output_adapter\": " + output);
    assertThatThrownBy(() -> Adapters.create(config, base(SUBLAYERS.subList(0, 2)), start()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("this model has no cross-attention");
  }

  private static ObjectNode config(String settings) {
    ObjectNode config = (ObjectNode) JsonFiles.parse("{" + settings + "}", "test");
    config.put("peft_type", "BOTTLENECK");
    if (!config.has("reduction_factor")) {
      config.put("reduction_factor", 2);
    }
    return config;
  }

  private static Start start() {
    return new Start(3, Map.of(), text -> new int[0]);
  }

  private static BaseModel base() {
    return base(SUBLAYERS);
  }

  private static BaseModel base(List<Sublayer> sublayers) {
    return new BaseModel(
        List.of(), null, null, 1, Map.of(), Map.of(), false, name -> null, null, sublayers);
  }
}
