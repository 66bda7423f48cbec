package io.attune.engine.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a classifier's logits mean: {@code problem_type} of {@code config.json}, in lower case. */
public enum ProblemType {
  /** Predicted values themselves. */
  REGRESSION,
  /** Softmax over labels that exclude each other. */
  SINGLE_LABEL_CLASSIFICATION,
  /** A sigmoid for each label. */
  MULTI_LABEL_CLASSIFICATION;

  /** The type that transformers calls {@code name}. */
  public static Optional<ProblemType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.toString().equals(name)).findFirst();
  }

  /** All names, for messages. */
  public static String all() {
    return Arrays.stream(values()).map(ProblemType::toString).collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
