package io.attune.training.job;

import io.attune.training.v1.GateDecision;
import io.attune.training.v1.TrainingJob.State;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What the platform measures about jobs, after their changes are committed. */
@ApplicationScoped
public class JobMetrics {
  private final MeterRegistry registry;
  private final MultiGauge open;

  @Inject
  JobMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.open = MultiGauge.builder("attune.training.jobs.open").register(registry);
    // From the start: what comes into being with its first count has not increased for Prometheus.
    for (String kind : List.of("policy", "reward")) {
      decisions(kind, true);
      decisions(kind, false);
    }
  }

  /** The jobs that are not final; known by the replica that leads, others tell none. */
  public void open(Collection<Job> jobs) {
    List<Row<?>> rows =
        Stream.of(State.STATE_QUEUED, State.STATE_TRAINING, State.STATE_EVALUATING)
            .<Row<?>>map(
                state ->
                    Row.of(
                        Tags.of("state", name(state)),
                        jobs.stream()
                            .filter(job -> JobMessages.state(job.state()) == state)
                            .count()))
            .toList();
    open.register(rows, true);
  }

  /** A job has come into another state. */
  void entered(Job job) {
    Tags tags = Tags.of("state", name(JobMessages.state(job.state())), "kind", kind(job));
    registry.counter("attune.training.jobs", tags).increment();
    if (job.isFinal()) {
      registry
          .timer("attune.training.job.time", tags)
          .record(Duration.between(job.createTime(), job.updateTime()));
    }
    decision(job).ifPresent(decision -> decisions(kind(job), decision.getReleased()).increment());
  }

  private Counter decisions(String kind, boolean released) {
    return registry.counter(
        "attune.training.gate.decisions",
        "kind",
        kind,
        "outcome",
        released ? "released" : "refused");
  }

  private static java.util.Optional<GateDecision> decision(Job job) {
    if (job.state() instanceof JobState.Released released) {
      return java.util.Optional.of(released.decision());
    }
    return job.state() instanceof JobState.Refused refused
        ? java.util.Optional.of(refused.decision())
        : java.util.Optional.empty();
  }

  private static String kind(Job job) {
    return job.spec().hasReward() ? "reward" : "policy";
  }

  private static String name(State state) {
    return state.name().substring("STATE_".length()).toLowerCase(Locale.ROOT);
  }
}
