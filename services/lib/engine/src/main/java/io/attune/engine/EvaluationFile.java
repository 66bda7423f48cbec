package io.attune.engine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.evaluate.HeldOut;
import io.attune.engine.evaluate.Reliability;
import io.attune.engine.evaluate.RewardMetrics;
import java.util.List;
import java.util.Map;

/** {@code eval.json}: what was measured on held-out rows, by whom. */
final class EvaluationFile {
  private EvaluationFile() {}

  static ObjectNode of(Map<String, HeldOut.Outcome> evaluation, List<?> rows) {
    ObjectNode json = JsonFiles.newObject();
    evaluation.forEach(
        (name, outcome) -> {
          ObjectNode node = json.putObject(name);
          outcome.metrics().forEach(node::put);
          List<Reliability.Bin> bins = RewardMetrics.reliability(rows, outcome.scores());
          if (!bins.isEmpty()) {
            ArrayNode list = node.putArray("reliability");
            for (Reliability.Bin bin : bins) {
              list.addObject()
                  .put("low", bin.low())
                  .put("high", bin.high())
                  .put("pairs", bin.pairs())
                  .put("confidence", bin.confidence())
                  .put("accuracy", bin.accuracy());
            }
          }
        });
    return json;
  }
}
