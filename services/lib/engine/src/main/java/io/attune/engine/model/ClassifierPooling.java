package io.attune.engine.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the head of a text classifier reads: {@code classifier_pooling}, a name that transformers'
 * ModernBERT gave it, in lower case.
 */
public enum ClassifierPooling {
  /** The hidden state of the first token, as BERT has it. */
  CLS,
  /** The mean of all tokens' hidden states. */
  MEAN;

  /** Key of {@code config.json}, and of {@code attune.json} beside an adapter. */
  public static final String KEY = "classifier_pooling";

  public static Optional<ClassifierPooling> named(String name) {
    return Arrays.stream(values()).filter(pooling -> pooling.toString().equals(name)).findFirst();
  }

  /** All names, for messages. */
  public static String all() {
    return Arrays.stream(values())
        .map(ClassifierPooling::toString)
        .collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
