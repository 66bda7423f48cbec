package io.attune.engine.model;

/**
 * What the {@code config.json} of an encoder says, as far as it changes numbers.
 *
 * @param segments values of {@code token_type_ids}; 0 for a family that has none
 */
record EncoderConfig(
    ModelConfig model,
    int intermediateSize,
    int attentionHeads,
    String activation,
    double layerNormEps,
    int segments,
    Dropout dropout,
    EncoderTask task,
    ClassLabels labels,
    ClassifierPooling pooling) {

  EncoderConfig with(EncoderTask newTask, ClassLabels newLabels) {
    return with(newTask, newLabels, pooling);
  }

  EncoderConfig with(ClassifierPooling newPooling) {
    return with(task, labels, newPooling);
  }

  private EncoderConfig with(
      EncoderTask newTask, ClassLabels newLabels, ClassifierPooling newPooling) {
    return new EncoderConfig(
        model,
        intermediateSize,
        attentionHeads,
        activation,
        layerNormEps,
        segments,
        dropout,
        newTask,
        newLabels,
        newPooling);
  }
}
