package io.attune.engine.onnx;

import java.util.Map;

/**
 * What a graph says about a BERT encoder.
 *
 * @param weights by their names in a Hugging Face folder
 */
record BertEncoder(
    int layers,
    int heads,
    long hidden,
    long intermediate,
    long vocabulary,
    long positions,
    long tokenTypes,
    double epsilon,
    String activation,
    Map<String, Weight> weights) {

  /**
   * A weight of the folder.
   *
   * @param transposed whether the constant has to be transposed
   */
  record Weight(OnnxTensor tensor, boolean transposed) {}
}
