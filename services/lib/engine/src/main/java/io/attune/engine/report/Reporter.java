package io.attune.engine.report;

import java.util.Map;

/** Shows a run somewhere. Called on the thread that trains, which it must not keep waiting. */
interface Reporter {
  /**
   * A step is done. The first one says where the run went on: what was reported of it and of later
   * ones before is void.
   *
   * @param step steps done, from 1
   * @param metrics by the names of {@code metrics.jsonl}
   */
  void step(int step, Map<String, Double> metrics);

  /** The run has ended; nothing follows. */
  void end(Outcome outcome);
}
