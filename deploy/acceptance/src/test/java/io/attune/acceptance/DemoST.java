package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job from end to end, with the bundled model. */
class DemoST {
  private static final Pattern DIFFERENCE =
      Pattern.compile("difference ([+-][0-9.]+) +95% interval \\[([+-][0-9.]+), ([+-][0-9.]+)]");

  @TempDir Path folder;

  @Test
  void ratingsInABetterAdapterOut() throws Exception {
    Path data = folder.resolve("data");
    try (TraceReceiver traces = TraceReceiver.start();
        AttuneProcess attune =
            AttuneProcess.start(
                traces.environment(), "demo", "--once", "--seed", "2", "--data", data.toString())) {
      String said = attune.awaitEnd(Duration.ofMinutes(12));
      assertThat(attune.process().exitValue()).as(said).isZero();
      Matcher difference = DIFFERENCE.matcher(said);
      assertThat(difference.find()).as(said).isTrue();
      assertThat(Double.parseDouble(difference.group(1))).isGreaterThanOrEqualTo(0.15);
      assertThat(Double.parseDouble(difference.group(2))).isPositive();
      assertThat(said)
          .contains("SIMULATED")
          .contains("became rows of training")
          .contains("kcat -P -b 127.0.0.1")
          .contains("grpcurl -plaintext");
      assertThat(data.resolve("storage/adapters")).isNotEmptyDirectory();
      assertThatOneTraceLeadsToTheSwap(traces);
    }
  }

  /**
   * From the rating that tripped the trigger: over both jobs, the gate's questions to serving and
   * reward, to the versions that both have switched to. By the parents of the spans, no gap.
   */
  private static void assertThatOneTraceLeadsToTheSwap(TraceReceiver traces) {
    List<TraceReceiver.Received> whole =
        traces.traces().values().stream()
            .filter(
                trace ->
                    trace.stream()
                        .anyMatch(
                            span ->
                                span.service().equals("serving")
                                    && span.name().equals("activate version")))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no swap has a trace"));
    assertThat(whole)
        .extracting(TraceReceiver.Received::service, TraceReceiver.Received::name)
        .contains(
            tuple("ingestion", "process feedback.ratings.v1"),
            tuple("ingestion", "send feedback.accepted.v1"),
            tuple("training", "process feedback.accepted.v1"),
            tuple("training", "start round"),
            tuple("training", "run job"),
            tuple("training", "worker train"),
            tuple("training", "send rollouts.requested.v1"),
            tuple("serving", "process rollouts.requested.v1"),
            tuple("reward", "process rollouts.completed.v1"),
            tuple("training", "process rollouts.scored.v1"),
            tuple("training", "gate"),
            tuple("training", "send training.adapters.v1"),
            tuple("serving", "activate version"),
            tuple("reward", "activate version"));
    Set<String> ids = whole.stream().map(TraceReceiver.Received::id).collect(Collectors.toSet());
    assertThat(whole)
        .filteredOn(span -> !ids.contains(span.parent()))
        .as("spans without a parent")
        .hasSize(1)
        .allMatch(span -> span.name().equals("process feedback.ratings.v1"));
  }
}
