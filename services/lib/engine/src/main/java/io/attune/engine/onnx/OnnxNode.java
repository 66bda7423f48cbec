package io.attune.engine.onnx;

import java.util.List;
import java.util.Map;

/**
 * An operation of the graph.
 *
 * @param operator with its domain where that is not ONNX's own, as in {@code com.microsoft.Gelu}
 */
record OnnxNode(
    String name,
    String operator,
    List<String> inputs,
    List<String> outputs,
    Map<String, Attribute> attributes) {

  /** What an attribute holds; zero, empty or null where it is of another kind. */
  record Attribute(float real, long integer, String text, long[] integers, OnnxTensor tensor) {}

  boolean is(String wanted) {
    return operator.equals(wanted);
  }

  boolean is(String wanted, int inputCount) {
    return is(wanted) && inputs.size() == inputCount;
  }

  long integer(String attribute, long absent) {
    Attribute found = attributes.get(attribute);
    return found == null ? absent : found.integer();
  }

  @Override
  public String toString() {
    return operator + " '" + name + "'";
  }
}
