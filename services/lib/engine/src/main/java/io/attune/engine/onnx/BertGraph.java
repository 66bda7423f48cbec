package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.onnx.BertEncoder.Weight;
import io.attune.engine.onnx.Patterns.Activation;
import io.attune.engine.onnx.Patterns.LayerNorm;
import io.attune.engine.onnx.Patterns.Linear;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Proves that a graph is a BERT encoder (arXiv:1810.04805, post-layer-norm) and finds its weights
 * and settings by going back from its output to its inputs. A graph that computes anything else is
 * refused.
 */
final class BertGraph {
  private static final Set<String> WEIGHT_TYPES = Set.of("F32", "F16", "BF16");
  private static final int MAX_LAYERS = 1000;

  private final OnnxGraph graph;
  private final Patterns patterns;
  private final Influence influence;
  private final Map<String, Weight> weights = new LinkedHashMap<>();

  /** What all layers must agree on, by the name of the setting. */
  private final Map<String, Object> settings = new TreeMap<>();

  private final long hidden;

  private BertGraph(OnnxGraph graph, String output) {
    this.graph = graph;
    this.patterns = new Patterns(graph);
    this.influence = new Influence(graph);
    this.hidden = norm(output).weight().elements();
  }

  static BertEncoder match(OnnxGraph graph) {
    String output = output(graph);
    return new BertGraph(graph, output).encoder(output);
  }

  /** The hidden states among the outputs. */
  private static String output(OnnxGraph graph) {
    for (String name : List.of("last_hidden_state", "token_embeddings")) {
      if (graph.outputs().contains(name)) {
        return name;
      }
    }
    if (graph.outputs().size() == 1) {
      return graph.outputs().get(0);
    }
    throw new EngineException(
        Reason.UNSUPPORTED,
        graph.source()
            + " has outputs "
            + graph.outputs()
            + "; an encoder's hidden states are called last_hidden_state");
  }

  private BertEncoder encoder(String output) {
    // The number of a layer is known when all have been seen.
    List<Map<String, Weight>> layers = new ArrayList<>();
    String states = output;
    for (Residual last = residual(states); last != null; last = residual(states)) {
      if (layers.size() == MAX_LAYERS) {
        throw new EngineException(
            Reason.UNSUPPORTED, graph.source() + " has more than " + MAX_LAYERS + " layers");
      }
      Map<String, Weight> layer = new LinkedHashMap<>();
      states = layer(states, last, layer);
      layers.add(layer);
    }
    if (layers.isEmpty()) {
      throw patterns.unexpected(states, "a layer's residual sum");
    }
    embeddings(states);
    for (int i = 0; i < layers.size(); i++) {
      String prefix = "encoder.layer." + i + ".";
      layers.get(layers.size() - 1 - i).forEach((name, w) -> weights.put(prefix + name, w));
    }
    pooler(output);
    return new BertEncoder(
        layers.size(),
        (Integer) settings.get("attention heads"),
        hidden,
        (Long) settings.get("intermediate size"),
        weights.get("embeddings.word_embeddings.weight").tensor().shape()[0],
        weights.get("embeddings.position_embeddings.weight").tensor().shape()[0],
        weights.get("embeddings.token_type_embeddings.weight").tensor().shape()[0],
        (Double) settings.get("layer norm epsilon"),
        (String) settings.get("activation"),
        weights);
  }

  /** The two that a layer's half adds before it normalizes: its last linear, and what it read. */
  private record Residual(LayerNorm norm, Linear last, String input) {}

  /** Null where what is normalized is no such sum: the embeddings. */
  private Residual residual(String states) {
    LayerNorm norm = norm(states);
    OnnxNode sum = graph.producer(norm.input());
    for (int side = 0; sum != null && sum.is("Add", 2) && side < 2; side++) {
      Linear last = patterns.linear(sum.inputs().get(side));
      if (last != null) {
        return new Residual(norm, last, sum.inputs().get(1 - side));
      }
    }
    return null;
  }

  private LayerNorm norm(String states) {
    LayerNorm norm = patterns.layerNorm(states);
    if (norm == null) {
      throw patterns.unexpected(states, "a layer norm");
    }
    agree("layer norm epsilon", norm.epsilon());
    return norm;
  }

  /** A layer from its output back to its input, whose name is returned. */
  private String layer(String output, Residual last, Map<String, Weight> into) {
    Activation activation = patterns.activation(last.last().input());
    Linear wide = linear(activation.input(), "the feed-forward layer");
    agree("activation", activation.name());
    agree("intermediate size", wide.out());
    Residual attended = residual(last.input());
    if (attended == null) {
      throw patterns.unexpected(last.input(), "the residual sum of attention");
    }
    if (!wide.input().equals(last.input())) {
      throw patterns.unexpected(output, "a feed-forward layer over the attention's output");
    }
    attention(attended, into);
    put(into, "attention.output.dense", attended.last(), hidden, hidden);
    put(into, "attention.output.LayerNorm", attended.norm());
    put(into, "intermediate.dense", wide, hidden, wide.out());
    put(into, "output.dense", last.last(), wide.out(), hidden);
    put(into, "output.LayerNorm", last.norm());
    return attended.input();
  }

  private void attention(Residual attended, Map<String, Weight> into) {
    SelfAttention found =
        new SelfAttention(graph, patterns, influence, hidden, attended.last().input());
    agree("attention heads", found.heads());
    List<String> names = List.of("query", "key", "value");
    for (int i = 0; i < names.size(); i++) {
      String projected = found.projections().get(i);
      Linear linear = linear(projected, "the " + names.get(i) + " projection");
      if (!linear.input().equals(attended.input())) {
        throw patterns.unexpected(projected, "a projection of the layer's input");
      }
      put(into, "attention.self." + names.get(i), linear, hidden, hidden);
    }
  }

  private void embeddings(String states) {
    LayerNorm norm = norm(states);
    List<String> parts = new ArrayList<>();
    OnnxNode sum = graph.producer(norm.input());
    for (int side = 0; sum != null && sum.is("Add", 2) && side < 2; side++) {
      OnnxNode inner = graph.producer(sum.inputs().get(side));
      if (inner != null && inner.is("Add", 2)) {
        parts.addAll(inner.inputs());
        parts.add(sum.inputs().get(1 - side));
        break;
      }
    }
    for (String part : parts) {
      OnnxNode lookup = graph.producer(part);
      OnnxTensor table =
          lookup != null && lookup.is("Gather", 2) && lookup.integer("axis", 0) == 0
              ? graph.constant(lookup.inputs().get(0))
              : null;
      if (table == null || table.shape().length != 2) {
        throw patterns.unexpected(part, "an embedding table");
      }
      String name = "embeddings." + tableName(lookup) + ".weight";
      if (weights.containsKey(name)) {
        throw patterns.unexpected(part, "three different embedding tables");
      }
      put(weights, name, table, false, table.shape()[0], hidden);
    }
    if (weights.size() != 3) {
      throw patterns.unexpected(norm.input(), "the sum of word, type and position embeddings");
    }
    put(weights, "embeddings.LayerNorm", norm);
  }

  private String tableName(OnnxNode lookup) {
    String ids = patterns.uncast(lookup.inputs().get(1));
    if (graph.isInput(ids)) {
      switch (ids) {
        case "input_ids":
          return "word_embeddings";
        case "token_type_ids":
          return "token_type_embeddings";
        default:
          throw patterns.unexpected(lookup, "input_ids or token_type_ids as its ids");
      }
    }
    OnnxNode slice = graph.producer(ids);
    OnnxTensor positions =
        slice != null && slice.is("Slice", 5) ? graph.constant(slice.inputs().get(0)) : null;
    boolean counted =
        positions != null
            && positions.type() == TensorType.I64
            && countsFromZero(positions)
            && isConstant(slice.inputs().get(1), 0) // from
            && isConstant(slice.inputs().get(3), positions.shape().length - 1) // axis
            && isConstant(slice.inputs().get(4), 1); // step
    if (!counted) {
      throw patterns.unexpected(lookup, "positions that count from 0");
    }
    return "position_embeddings";
  }

  private static boolean countsFromZero(OnnxTensor positions) {
    int last = positions.shape().length - 1;
    if (last < 0 || positions.elements() != positions.shape()[last]) {
      return false;
    }
    for (int i = 0; i < positions.elements(); i++) {
      if (positions.data().getLong(i * Long.BYTES) != i) {
        return false;
      }
    }
    return true;
  }

  private boolean isConstant(String value, long wanted) {
    OnnxTensor constant = graph.constant(value);
    return constant != null && constant.isSingle() && constant.value() == wanted;
  }

  /** The pooler, tanh of a linear of the first token's state, where the graph puts it out. */
  private void pooler(String states) {
    if (!graph.outputs().contains("pooler_output")) {
      return;
    }
    OnnxNode tanh = graph.producer("pooler_output");
    Linear dense =
        tanh != null && tanh.is("Tanh", 1) ? patterns.linear(tanh.inputs().get(0)) : null;
    OnnxNode first = dense == null ? null : graph.producer(dense.input());
    boolean pooled =
        first != null
            && first.is("Gather", 2)
            && first.inputs().get(0).equals(states)
            && first.integer("axis", 0) == 1
            && isConstant(first.inputs().get(1), 0);
    if (!pooled) {
      throw patterns.unexpected("pooler_output", "tanh of a linear of the first token's state");
    }
    put(weights, "pooler.dense", dense, hidden, hidden);
  }

  private Linear linear(String value, String wanted) {
    Linear linear = patterns.linear(value);
    if (linear == null) {
      throw patterns.unexpected(value, wanted);
    }
    return linear;
  }

  private void agree(String setting, Object value) {
    Object before = settings.putIfAbsent(setting, value);
    if (before != null && !before.equals(value)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          graph.source()
              + " has "
              + setting
              + " "
              + before
              + " in one layer, "
              + value
              + " in another");
    }
  }

  private void put(Map<String, Weight> into, String name, Linear linear, long in, long out) {
    boolean transposed = linear.transposed();
    put(
        into,
        name + ".weight",
        linear.weight(),
        transposed,
        transposed ? in : out,
        transposed ? out : in);
    put(into, name + ".bias", linear.bias(), false, out);
  }

  private void put(Map<String, Weight> into, String name, LayerNorm norm) {
    put(into, name + ".weight", norm.weight(), false, hidden);
    put(into, name + ".bias", norm.bias(), false, hidden);
  }

  private void put(
      Map<String, Weight> into, String name, OnnxTensor tensor, boolean transposed, long... shape) {
    if (tensor.type() == null || !WEIGHT_TYPES.contains(tensor.type().name())) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          graph.source() + ": " + name + " (" + tensor + ") is not float32, float16 or bfloat16");
    }
    if (!tensor.hasShape(shape)) {
      throw new EngineException(
          Reason.CORRUPT,
          graph.source() + ": " + name + " (" + tensor + ") does not fit hidden size " + hidden);
    }
    agree("weights in", tensor.type().name());
    into.put(name, new Weight(tensor, transposed));
  }
}
