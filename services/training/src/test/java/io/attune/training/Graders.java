package io.attune.training;

import io.attune.common.v1.AdapterVersion;
import io.attune.platform.event.Events;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * Plays serving and reward: answers every rollout that is requested with what a test says, on a
 * thread of its own until it is closed.
 */
final class Graders implements AutoCloseable {
  private final Function<RolloutRequested, List<RolloutScored>> answers;
  private final List<RolloutRequested> requests = new CopyOnWriteArrayList<>();
  private final Thread thread;
  private volatile boolean closed;

  private Graders(Function<RolloutRequested, List<RolloutScored>> answers) {
    this.answers = answers;
    this.thread = new Thread(this::run, "graders");
  }

  static Graders answering(Function<RolloutRequested, List<RolloutScored>> answers) {
    Graders graders = new Graders(answers);
    graders.thread.start();
    return graders;
  }

  /** What was asked for so far. */
  List<RolloutRequested> requests() {
    return requests;
  }

  /** The answer to a request with the same score for every prompt. */
  static RolloutScored scored(RolloutRequested request, double score, long rewardVersion) {
    RolloutScored.Builder scored =
        RolloutScored.newBuilder()
            .setRolloutId(request.getRolloutId())
            .setJobId(request.getJobId())
            .setPurpose(request.getPurpose())
            .setRewardModel(
                AdapterVersion.newBuilder()
                    .setLine(request.getRewardLine())
                    .setVersion(rewardVersion));
    for (int i = 0; i < request.getPromptsCount(); i++) {
      scored.addScores((float) score);
    }
    return scored.build();
  }

  private void run() {
    try (KafkaConsumer<String, byte[]> reader =
        Topic.reader(Events.topic(RolloutRequested.getDescriptor()))) {
      while (!closed) {
        List<RolloutScored> scored = new ArrayList<>();
        for (RolloutRequested request : Topic.poll(reader, RolloutRequested.class)) {
          requests.add(request);
          scored.addAll(answers.apply(request));
        }
        if (!scored.isEmpty()) {
          Topic.send("reward", scored);
        }
      }
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    thread.join();
  }
}
