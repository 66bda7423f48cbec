package io.attune.engine.onnx;

import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.onnx.Patterns.Scaled;
import java.util.List;

/**
 * Bidirectional multi-head attention, softmax(Q K^T / sqrt(d) + mask) V, from the joined heads back
 * to the three projections. The scale may stand at the scores, or its root at Q and at K, as
 * PyTorch's scaled_dot_product_attention is exported.
 */
final class SelfAttention {
  private final OnnxGraph graph;
  private final Patterns patterns;
  private final long hidden;
  private final int heads;
  private final List<String> projections;

  /**
   * @param joined the heads side by side, [B, T, E]
   */
  SelfAttention(
      OnnxGraph graph, Patterns patterns, Influence influence, long hidden, String joined) {
    this.graph = graph;
    this.patterns = patterns;
    this.hidden = hidden;
    OnnxNode attended =
        graph.producer(expect(joined, "Reshape", 2, "the heads joined").inputs().get(0));
    if (attended == null || !Patterns.isTranspose(attended, 0, 2, 1, 3)) {
      throw patterns.unexpected(joined, "attention with its heads joined");
    }
    OnnxNode weighted = expect(attended.inputs().get(0), "MatMul", 2, "the weighted sum of values");
    OnnxNode sum = expect(softmax(weighted.inputs().get(0)), "Add", 2, "scores and mask");
    boolean first = isScores(sum.inputs().get(0));
    Scaled scores = patterns.scaled(sum.inputs().get(first ? 0 : 1));
    OnnxNode product = expect(scores.value(), "MatMul", 2, "Q K^T");
    Scaled query = patterns.scaled(product.inputs().get(0));
    Scaled key = patterns.scaled(product.inputs().get(1));
    Head q = head(query.value(), false);
    Head k = head(key.value(), true);
    Head v = head(weighted.inputs().get(1), false);
    if (q.size() != k.size() || q.size() != v.size() || hidden % q.size() != 0) {
      throw patterns.unexpected(joined, "heads of one size that divides " + hidden);
    }
    double scale = scores.factor() * query.factor() * key.factor();
    if (!Patterns.close(scale, 1 / Math.sqrt(q.size()))) {
      throw patterns.unexpected(product, "scores times 1/sqrt(" + q.size() + "), not " + scale);
    }
    if (!influence.isPaddingMask(sum.inputs().get(first ? 1 : 0))) {
      throw patterns.unexpected(sum, "a mask of padding alone");
    }
    this.heads = Math.toIntExact(hidden / q.size());
    this.projections = List.of(q.projected(), k.projected(), v.projected());
  }

  int heads() {
    return heads;
  }

  /** Outputs of the query, key and value projections. */
  List<String> projections() {
    return projections;
  }

  /** A projection cut into heads. */
  private record Head(String projected, long size) {}

  private Head head(String value, boolean key) {
    OnnxNode turned = expect(value, "Transpose", 1, "a projection cut into heads");
    boolean direct = Patterns.isTranspose(turned, 0, 2, key ? 3 : 1, key ? 1 : 3);
    if (!direct && key && Patterns.isTranspose(turned, 0, 1, 3, 2)) {
      turned = expect(turned.inputs().get(0), "Transpose", 1, "keys cut into heads");
      direct = Patterns.isTranspose(turned, 0, 2, 1, 3);
    }
    if (!direct) {
      throw patterns.unexpected(turned, "heads before tokens");
    }
    OnnxNode cut = expect(turned.inputs().get(0), "Reshape", 2, "a projection cut into heads");
    return new Head(cut.inputs().get(0), headSize(cut));
  }

  /** The last size of the shape [B, T, H, D] that a projection gets. */
  private long headSize(OnnxNode cut) {
    String shape = cut.inputs().get(1);
    OnnxTensor constant = graph.constant(shape);
    OnnxNode concat = graph.producer(shape);
    double size = 0;
    if (constant != null && constant.type() == TensorType.I64 && constant.hasShape(4)) {
      size = constant.data().getLong(3 * Long.BYTES);
    } else if (concat != null && concat.is("Concat", 4)) {
      OnnxTensor last = graph.constant(concat.inputs().get(3));
      size = last != null && last.isSingle() ? last.value() : 0;
    }
    if (size < 1 || size > hidden) {
      throw patterns.unexpected(cut, "a head size that the graph states");
    }
    return (long) size;
  }

  /** What softmax is taken of, through the guard against rows that are masked as a whole. */
  private String softmax(String weights) {
    String at = weights;
    OnnxNode guard = graph.producer(at);
    if (guard != null && guard.is("Where", 3)) {
      OnnxNode isNaN = graph.producer(guard.inputs().get(0));
      OnnxTensor zero = graph.constant(guard.inputs().get(1));
      at = guard.inputs().get(2);
      boolean harmless =
          isNaN != null
              && isNaN.is("IsNaN", 1)
              && isNaN.inputs().get(0).equals(at)
              && zero != null
              && zero.isSingle()
              && zero.value() == 0;
      if (!harmless) {
        throw patterns.unexpected(guard, "softmax");
      }
    }
    OnnxNode softmax = expect(at, "Softmax", 1, "softmax");
    long axis = softmax.integer("axis", -1);
    if (axis != -1 && axis != 3) {
      throw patterns.unexpected(softmax, "softmax over the keys");
    }
    return softmax.inputs().get(0);
  }

  private boolean isScores(String value) {
    OnnxNode node = graph.producer(patterns.scaled(value).value());
    return node != null && node.is("MatMul", 2);
  }

  private OnnxNode expect(String value, String operator, int inputs, String wanted) {
    OnnxNode node = graph.producer(value);
    if (node == null || !node.is(operator, inputs)) {
      throw patterns.unexpected(value, wanted);
    }
    return node;
  }
}
