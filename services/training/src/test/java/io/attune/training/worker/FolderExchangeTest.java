package io.attune.training.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.online.RolloutExchange.Written;
import io.attune.platform.error.PlatformException;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.RolloutTokens;
import io.attune.training.v1.TokenSequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderExchangeTest {
  private static final List<Row.Prompt> PROMPTS =
      List.of(
          new Row.Prompt(new Content.Text("hello"), Map.of("prompt", "hello")),
          new Row.Prompt(
              new Content.Text("turns"),
              Map.of("prompt", List.of(Map.of("role", "user", "content", "why?")))));

  @TempDir Path root;

  private final AtomicInteger policies = new AtomicInteger();

  @Test
  void anAnswerEndsTheWaitAndIsThereForWhoeverAsksAgain() throws Exception {
    JobFolder folder = new JobFolder(root);
    CompletableFuture<List<Written>> waiting =
        CompletableFuture.supplyAsync(() -> ask(folder, new StopSignal()));
    RoundFolder round = awaitQuestion(folder, waiting);

    assertThat(round.policy().resolve("policy")).hasContent("1");
    assertThat(round.question().each()).isEqualTo(1);
    assertThat(round.question().prompts().get(0).asText()).isEqualTo("hello");
    assertThat(round.question().prompts().get(1).get(0).get("content").asText()).isEqualTo("why?");
    assertThat(waiting).isNotDone();

    round.answer(List.of(chunk(0, 2), chunk(1, 2)));
    assertThat(waiting.get(60, TimeUnit.SECONDS))
        .extracting(Written::score)
        .containsExactly(0.0, 1.0);
    List<Written> again = ask(folder, new StopSignal());
    assertThat(again.get(1).completionIds()).containsExactly(7, 2);
    assertThat(again.get(1).logProbs()).containsExactly(-0.5, -0.25);
    assertThat(again.get(1).promptIds()).containsExactly(1, 2);
    assertThat(again.get(0).ended()).isTrue();
    assertThat(policies).as("the policy is written once").hasValue(1);
  }

  @Test
  void whoeverIsAskedToStopWaitsNoLonger() {
    StopSignal stop = new StopSignal();
    stop.ask();

    assertThatThrownBy(() -> ask(new JobFolder(root), stop))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.CANCELLED));
  }

  @Test
  void tokensOfFewerAnswersAreRefused() {
    JobFolder folder = new JobFolder(root);
    folder.round(3).answer(List.of(chunk(0, 1)));

    assertThatThrownBy(() -> ask(folder, new StopSignal()))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("has 1 answers and the tokens of 0");
  }

  private List<Written> ask(JobFolder folder, StopSignal stop) {
    return new FolderExchange(folder, stop)
        .exchange(
            3,
            PROMPTS,
            1,
            policy -> {
              try {
                Files.writeString(
                    policy.resolve("policy"), Integer.toString(policies.incrementAndGet()));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  private static RoundFolder awaitQuestion(JobFolder folder, CompletableFuture<?> waiting) {
    while (folder.newestRound().isEmpty() && !waiting.isDone()) {
      Thread.onSpinWait();
    }
    return folder.newestRound().orElseThrow();
  }

  /** An answer whose tokens are complete when there are two of them. */
  private static RoundFolder.Chunk chunk(int number, int tokens) {
    RolloutTokens.Builder sequences = RolloutTokens.newBuilder();
    if (tokens == 2) {
      sequences.addSequences(
          TokenSequence.newBuilder()
              .addPromptTokenIds(1)
              .addPromptTokenIds(2)
              .addCompletionTokenIds(7)
              .addCompletionTokenIds(2)
              .addLogProbabilities(-0.5f)
              .addLogProbabilities(-0.25f));
    }
    return new RoundFolder.Chunk(
        RolloutScored.newBuilder()
            .addGenerations(
                Generation.newBuilder().setFinishReason(FinishReason.FINISH_REASON_STOP))
            .addScores(number)
            .build(),
        sequences.build());
  }
}
