package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What can be measured, named as on the command line. */
public enum Task {
  PERPLEXITY("perplexity"),
  ACCURACY("accuracy"),
  F1("f1"),
  MCC("mcc"),
  EXACT_MATCH("exact_match"),
  BLEU("bleu"),
  CHRF("chrf"),
  CHRF_PLUS_PLUS("chrf++"),
  ROUGE("rouge"),
  REWARD("reward");

  private final String title;

  Task(String title) {
    this.title = title;
  }

  /** The task called {@code name}; refuses other names. */
  public static Task named(String name) {
    for (Task task : values()) {
      if (task.title.equals(name)) {
        return task;
      }
    }
    throw new EngineException(
        Reason.INVALID_ARGUMENT,
        "there is no task '"
            + name
            + "'; there are "
            + Arrays.stream(values()).map(Task::toString).collect(Collectors.joining(", ")));
  }

  /** Whether texts are written for it and compared with the right ones. */
  public boolean writes() {
    return switch (this) {
      case EXACT_MATCH, BLEU, CHRF, CHRF_PLUS_PLUS, ROUGE -> true;
      case PERPLEXITY, ACCURACY, F1, MCC, REWARD -> false;
    };
  }

  @Override
  public String toString() {
    return title;
  }
}
