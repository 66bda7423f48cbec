package io.attune.engine.model;

/** What a classifier's logits mean: {@code problem_type} of {@code config.json}, in lower case. */
public enum ProblemType {
  /** Predicted values themselves. */
  REGRESSION,
  /** Softmax over labels that exclude each other. */
  SINGLE_LABEL_CLASSIFICATION,
  /** A sigmoid for each label. */
  MULTI_LABEL_CLASSIFICATION
}
