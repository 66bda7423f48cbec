package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A graph whose values each have one origin; every node comes after what it reads. */
final class OnnxGraph {
  private final String source;
  private final List<OnnxNode> nodes;
  private final Set<String> inputs;
  private final List<String> outputs;
  private final Map<String, OnnxTensor> constants = new HashMap<>();
  private final Map<String, OnnxNode> producers = new HashMap<>();

  /**
   * @param inputs names of the graph's inputs, which files of earlier years list initializers among
   */
  OnnxGraph(
      String source,
      List<OnnxNode> nodes,
      List<OnnxTensor> initializers,
      List<String> inputs,
      List<String> outputs) {
    this.source = source;
    this.nodes = nodes;
    this.outputs = List.copyOf(outputs);
    Set<String> known = new HashSet<>();
    for (OnnxTensor tensor : initializers) {
      define(known, tensor.name());
      constants.put(tensor.name(), tensor);
    }
    this.inputs = new HashSet<>();
    for (String input : inputs) {
      if (!constants.containsKey(input)) {
        define(known, input);
        this.inputs.add(input);
      }
    }
    for (OnnxNode node : nodes) {
      for (String input : node.inputs()) {
        // An empty name is an optional input that is left out.
        if (!input.isEmpty() && !known.contains(input)) {
          throw corrupt(node + " reads '" + input + "', which nothing before it makes");
        }
      }
      for (String output : node.outputs()) {
        if (!output.isEmpty()) {
          define(known, output);
          producers.put(output, node);
        }
      }
      OnnxNode.Attribute value = node.attributes().get("value");
      if (node.is("Constant", 0) && value != null && value.tensor() != null) {
        constants.put(node.outputs().get(0), value.tensor());
      }
    }
  }

  private void define(Set<String> known, String name) {
    if (!known.add(name)) {
      throw corrupt("'" + name + "' is made twice");
    }
  }

  String source() {
    return source;
  }

  /** In an order in which they can be computed. */
  List<OnnxNode> nodes() {
    return nodes;
  }

  boolean isInput(String name) {
    return inputs.contains(name);
  }

  List<String> outputs() {
    return outputs;
  }

  /** The node that makes a value; null for inputs and initializers. */
  OnnxNode producer(String name) {
    return producers.get(name);
  }

  /** An initializer or the value of a Constant node, else null. */
  OnnxTensor constant(String name) {
    return constants.get(name);
  }

  private EngineException corrupt(String what) {
    return new EngineException(Reason.CORRUPT, source + " is not a valid ONNX file: " + what);
  }
}
