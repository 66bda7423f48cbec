package io.attune.training.worker;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.training.Messages;
import io.attune.training.dataset.EvaluationPair;
import io.attune.training.dataset.RowSet;
import io.attune.training.dataset.SnapshotReader;
import io.attune.training.release.RewardExam;
import io.attune.training.v1.TrainingSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a worker does, in order: rows from the snapshot, training, for a reward model its exam, the
 * adapter, the result. Done again from the start it makes the same files, except that training goes
 * on from its newest checkpoint.
 */
final class WorkerRun {
  private final WorkerOrder order;
  private final JobFolder folder;
  private final Consumer<WorkerMessage> messages;
  private final StopSignal stop;
  private final TrainingSpec spec;

  WorkerRun(
      WorkerOrder order, JobFolder folder, Consumer<WorkerMessage> messages, StopSignal stop) {
    this.order = order;
    this.folder = folder;
    this.messages = messages;
    this.stop = stop;
    this.spec = Messages.fromJson(order.spec(), TrainingSpec.newBuilder()).build();
  }

  /**
   * Does all of it, or stops between two steps when asked to.
   *
   * @throws io.attune.engine.EngineException CANCELLED when it was asked to
   */
  void run() {
    begin("prepare");
    RowSet rows = prepare();
    stop.check();
    begin("train");
    Learning learning = new Learning(order, spec, folder, messages, stop);
    learning.train(rows.ktoWeights());
    stop.check();
    RewardExam exam = null;
    if (spec.hasReward()) {
      begin("examine");
      exam = exam(rows, learning);
    }
    begin("save");
    String contract = learning.saveAdapter();
    folder.writeResult(new WorkerResult(contract, exam));
  }

  private void begin(String phase) {
    messages.accept(new WorkerMessage.Began(phase));
  }

  private RowSet prepare() {
    RowSet rows =
        RowSet.derive(spec, SnapshotReader.read(Path.of(order.snapshot())), order.limits())
            .require(order.limits());
    folder.writeLines(
        folder.rows(), rows.training().stream().map(row -> row.toJson().toString()).toList());
    folder.writeLines(folder.ratings(), rows.ratingIds());
    folder.writeLines(
        folder.prompts(), rows.heldOutPrompts().stream().map(JsonNode::toString).toList());
    return rows;
  }

  private RewardExam exam(RowSet rows, Learning learning) {
    LinkedHashSet<EvaluationPair.Item> distinct = new LinkedHashSet<>();
    for (EvaluationPair pair : rows.evaluation()) {
      distinct.add(pair.better());
      distinct.add(pair.worse());
    }
    List<EvaluationPair.Item> items = List.copyOf(distinct);
    Map<EvaluationPair.Item, Double> candidate = learning.scores(folder.trained(), items);
    Map<EvaluationPair.Item, Double> active =
        order.activeAdapter() == null
            ? Map.of()
            : learning.scores(Path.of(order.activeAdapter()), items);
    List<RewardExam.Scores> scores = new ArrayList<>();
    for (EvaluationPair pair : rows.evaluation()) {
      if (!candidate.containsKey(pair.better()) || !candidate.containsKey(pair.worse())) {
        continue;
      }
      scores.add(
          new RewardExam.Scores(
              pair.group(),
              candidate.get(pair.better()),
              candidate.get(pair.worse()),
              active.get(pair.better()),
              active.get(pair.worse())));
    }
    return new RewardExam(order.activeVersion(), rows.acrossPrompts(), scores);
  }
}
