package io.attune.engine.report;

/** How a run ended, by MLflow's names. */
public enum Outcome {
  FINISHED,
  FAILED,
  /** It was cancelled; it may go on later. */
  KILLED
}
