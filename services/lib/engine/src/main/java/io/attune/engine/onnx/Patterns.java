package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The parts of a network as exporters write them, recognised by what is computed: node names do not
 * count. Each match starts at the part's output and goes back to its input.
 */
final class Patterns {
  /**
   * {@code input W^T + bias}.
   *
   * @param transposed whether the constant is W^T, [in, out], as MatMul has it, and not W, [out,
   *     in]
   */
  record Linear(String input, OnnxTensor weight, boolean transposed, OnnxTensor bias) {
    long in() {
      return weight.shape()[transposed ? 0 : 1];
    }

    long out() {
      return weight.shape()[transposed ? 1 : 0];
    }
  }

  /** Layer normalization over the last dimension. */
  record LayerNorm(String input, OnnxTensor weight, OnnxTensor bias, double epsilon) {}

  /** A non-linearity by its name in config.json. */
  record Activation(String input, String name) {}

  /** A value and the constant that it is multiplied by. */
  record Scaled(String value, double factor) {}

  private static final double TOLERANCE = 1e-3;

  private final OnnxGraph graph;

  Patterns(OnnxGraph graph) {
    this.graph = graph;
  }

  /** Add(MatMul(x, W), b) in either order, or Gemm; null where the value is something else. */
  Linear linear(String value) {
    OnnxNode node = graph.producer(value);
    if (node == null) {
      return null;
    }
    if (node.is("Gemm", 3)) {
      return gemm(node);
    }
    for (int side = 0; node.is("Add", 2) && side < 2; side++) {
      OnnxTensor bias = graph.constant(node.inputs().get(side));
      OnnxNode product = graph.producer(node.inputs().get(1 - side));
      if (bias != null && product != null && product.is("MatMul", 2)) {
        return linear(product.inputs().get(0), product.inputs().get(1), true, bias);
      }
    }
    return null;
  }

  private Linear gemm(OnnxNode node) {
    for (String factor : List.of("alpha", "beta")) {
      OnnxNode.Attribute attribute = node.attributes().get(factor);
      if (attribute != null && attribute.real() != 1) {
        throw unexpected(node, "a linear layer with " + factor + " 1");
      }
    }
    OnnxTensor bias = graph.constant(node.inputs().get(2));
    boolean transposed = node.integer("transB", 0) == 0;
    return node.integer("transA", 0) != 0 || bias == null
        ? null
        : linear(node.inputs().get(0), node.inputs().get(1), transposed, bias);
  }

  private Linear linear(String input, String weight, boolean transposed, OnnxTensor bias) {
    OnnxTensor constant = graph.constant(weight);
    OnnxNode node = graph.producer(weight);
    boolean turned = constant == null && node != null && isTranspose(node, 1, 0);
    if (turned) {
      constant = graph.constant(node.inputs().get(0));
    }
    return constant == null || constant.shape().length != 2
        ? null
        : new Linear(input, constant, transposed != turned, bias);
  }

  /** LayerNormalization, or the nine operations that it was written as before opset 17. */
  LayerNorm layerNorm(String value) {
    OnnxNode node = graph.producer(value);
    if (node != null && node.is("LayerNormalization", 3)) {
      OnnxTensor weight = graph.constant(node.inputs().get(1));
      OnnxTensor bias = graph.constant(node.inputs().get(2));
      OnnxNode.Attribute epsilon = node.attributes().get("epsilon");
      boolean last = node.integer("axis", -1) == -1;
      return !last || weight == null || bias == null
          ? null
          : new LayerNorm(
              node.inputs().get(0), weight, bias, epsilon == null ? 1e-5 : exact(epsilon.real()));
    }
    Affine shifted = affine(value, "Add");
    Affine scaled = shifted == null ? null : affine(shifted.value(), "Mul");
    OnnxNode divided = scaled == null ? null : graph.producer(scaled.value());
    if (divided == null || !divided.is("Div", 2)) {
      return null;
    }
    OnnxNode centred = graph.producer(divided.inputs().get(0));
    OnnxNode root = graph.producer(divided.inputs().get(1));
    if (centred == null || !centred.is("Sub", 2) || root == null || !root.is("Sqrt", 1)) {
      return null;
    }
    Affine variance = affine(root.inputs().get(0), "Add");
    String input = centred.inputs().get(0);
    boolean normalized =
        variance != null
            && variance.constant().isSingle()
            && input.equals(meanOf(centred.inputs().get(1)))
            && isSquare(meanOf(variance.value()), input, divided.inputs().get(0));
    return normalized
        ? new LayerNorm(
            input,
            scaled.constant(),
            shifted.constant(),
            exact((float) variance.constant().value()))
        : null;
  }

  /** What a mean over the last dimension is taken of; null where the value is none. */
  private String meanOf(String value) {
    OnnxNode node = graph.producer(value);
    if (node == null
        || !(node.is("ReduceMean", 1) || node.is("ReduceMean", 2))
        || node.integer("keepdims", 1) != 1) {
      return null;
    }
    OnnxNode.Attribute axes = node.attributes().get("axes");
    boolean last;
    if (axes != null) {
      last = Arrays.equals(axes.integers(), new long[] {-1});
    } else {
      // An input since opset 18.
      OnnxTensor input = node.inputs().size() == 2 ? graph.constant(node.inputs().get(1)) : null;
      last = input != null && input.isSingle() && input.value() == -1;
    }
    return last ? node.inputs().get(0) : null;
  }

  /** Whether a value is the square of {@code centred}, or of the same difference made again. */
  private boolean isSquare(String value, String input, String centred) {
    OnnxNode node = value == null ? null : graph.producer(value);
    if (node == null || node.inputs().size() != 2) {
      return false;
    }
    String base = node.inputs().get(0);
    OnnxNode again = graph.producer(base);
    boolean same =
        base.equals(centred)
            || (again != null
                && again.is("Sub", 2)
                && again.inputs().get(0).equals(input)
                && input.equals(meanOf(again.inputs().get(1))));
    OnnxTensor exponent = graph.constant(node.inputs().get(1));
    boolean power =
        node.is("Pow") && exponent != null && exponent.isSingle() && exponent.value() == 2;
    return same && (power || (node.is("Mul") && node.inputs().get(1).equals(base)));
  }

  /** The activation that makes a value. */
  Activation activation(String value) {
    OnnxNode node = graph.producer(value);
    if (node == null) {
      throw unexpected(value, "an activation");
    }
    if (node.is("Relu", 1)) {
      return new Activation(node.inputs().get(0), "relu");
    }
    if (node.is("Gelu", 1)) {
      OnnxNode.Attribute approximate = node.attributes().get("approximate");
      boolean tanh = approximate != null && approximate.text().equals("tanh");
      return new Activation(node.inputs().get(0), tanh ? "gelu_pytorch_tanh" : "gelu");
    }
    Activation gelu = node.is("Mul", 2) ? gelu(value) : null;
    if (gelu == null) {
      throw unexpected(node, "gelu or relu");
    }
    return gelu;
  }

  /** The product of x, 1/2 and 1 + erf(x / sqrt 2), in any order. */
  private Activation gelu(String value) {
    List<String> factors = new ArrayList<>();
    double constant = factors(value, factors);
    for (int i = 0; factors.size() == 2 && i < 2; i++) {
      Affine sum = affine(factors.get(i), "Add");
      OnnxNode erf = sum == null ? null : graph.producer(sum.value());
      if (erf != null && erf.is("Erf", 1) && sum.constant().isSingle()) {
        Scaled inner = scaled(erf.inputs().get(0));
        String x = factors.get(1 - i);
        boolean exact =
            inner.value().equals(x)
                && close(inner.factor(), Math.sqrt(0.5))
                && close(constant, 0.5)
                && sum.constant().value() == 1;
        return exact ? new Activation(x, "gelu") : null;
      }
    }
    return null;
  }

  /** Collects what is multiplied and returns the product of the constants among it. */
  private double factors(String value, List<String> into) {
    Scaled part = scaled(value);
    OnnxNode node = graph.producer(part.value());
    if (node == null || !node.is("Mul", 2)) {
      into.add(part.value());
      return part.factor();
    }
    double constant = part.factor();
    for (String input : node.inputs()) {
      Scaled inner = scaled(input);
      into.add(inner.value());
      constant *= inner.factor();
    }
    return constant;
  }

  /** Strips multiplications and divisions by single constants. */
  Scaled scaled(String value) {
    double factor = 1;
    String at = value;
    while (true) {
      Affine product = affine(at, "Mul");
      if (product == null || !product.constant().isSingle()) {
        OnnxNode node = graph.producer(at);
        OnnxTensor divisor =
            node != null && node.is("Div", 2) ? graph.constant(node.inputs().get(1)) : null;
        if (divisor == null || !divisor.isSingle()) {
          return new Scaled(at, factor);
        }
        factor /= divisor.value();
        at = node.inputs().get(0);
      } else {
        factor *= product.constant().value();
        at = product.value();
      }
    }
  }

  /** A value and a constant that an operation of two inputs joins, in either order. */
  private record Affine(String value, OnnxTensor constant) {}

  private Affine affine(String value, String operator) {
    OnnxNode node = graph.producer(value);
    for (int side = 0; node != null && node.is(operator, 2) && side < 2; side++) {
      OnnxTensor constant = graph.constant(node.inputs().get(side));
      if (constant != null && constant.type() != null) {
        return new Affine(node.inputs().get(1 - side), constant);
      }
    }
    return null;
  }

  /** What a value is cast from, or itself. */
  String uncast(String value) {
    String at = value;
    for (OnnxNode node = graph.producer(at);
        node != null && node.is("Cast", 1);
        node = graph.producer(at)) {
      at = node.inputs().get(0);
    }
    return at;
  }

  static boolean isTranspose(OnnxNode node, long... order) {
    OnnxNode.Attribute permutation = node.attributes().get("perm");
    return node.is("Transpose", 1)
        && permutation != null
        && Arrays.equals(permutation.integers(), order);
  }

  static boolean close(double value, double wanted) {
    return Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted);
  }

  /** The decimal that was written in the model's source: 1e-12, not its nearest float widened. */
  private static double exact(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  EngineException unexpected(String value, String wanted) {
    OnnxNode node = graph.producer(value);
    return node == null ? refused("'" + value + "'", wanted) : unexpected(node, wanted);
  }

  EngineException unexpected(OnnxNode node, String wanted) {
    String operator = node.operator();
    if (operator.contains("Quantize") || operator.contains("Integer")) {
      return refused(
          node + " works on quantized weights", "float32 (export the model unquantized)");
    }
    if (operator.contains(".")) {
      return refused(node + " is fused", "ONNX's own operators (export the model unoptimized)");
    }
    return refused(node.toString(), wanted);
  }

  private EngineException refused(String found, String wanted) {
    return new EngineException(
        Reason.UNSUPPORTED,
        graph.source() + " is not a BERT encoder: " + found + ", where it has " + wanted);
  }
}
