package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which answer goes with another prompt. */
class KtoExampleTest {
  private static JudgedCompletion row(int prompt, int... answer) {
    return new JudgedCompletion(new int[] {prompt, prompt}, answer, true);
  }

  private static List<int[]> mismatched(List<JudgedCompletion> rows, int batch) {
    return KtoExample.mismatched(rows, batch, 100).stream().map(KtoExample::mismatchedIds).toList();
  }

  @Test
  void batchesAreRotatedAsTrlRotatesThem() {
    List<JudgedCompletion> rows = List.of(row(1, 10), row(2, 20), row(3, 30), row(4, 40));
    assertThat(mismatched(rows, 4))
        .containsExactly(new int[] {40}, new int[] {10}, new int[] {20}, new int[] {30});
    assertThat(mismatched(rows, 2))
        .containsExactly(new int[] {20}, new int[] {10}, new int[] {40}, new int[] {30});
    // A batch of one has no other answer; trl takes its own.
    assertThat(mismatched(rows, 3))
        .containsExactly(new int[] {30}, new int[] {10}, new int[] {20}, new int[] {30});
  }

  @Test
  void anAnswerToTheSamePromptIsPassedOver() {
    List<JudgedCompletion> pairs = List.of(row(1, 10), row(1, 11), row(2, 20), row(2, 21));
    assertThat(mismatched(pairs, 2))
        .containsExactly(new int[] {21}, new int[] {21}, new int[] {11}, new int[] {11});
  }

  @Test
  void whatExceedsTheMaximumIsCut() {
    List<JudgedCompletion> rows = List.of(row(1, 10), row(2, 20, 21, 22));
    assertThat(KtoExample.mismatched(rows, 2, 4).get(0).mismatchedIds()).containsExactly(20, 21);
  }

  @Test
  void onePromptIsTooLittle() {
    assertThatThrownBy(() -> KtoExample.mismatched(List.of(row(1, 10), row(1, 11)), 2, 100))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.TOO_LITTLE_DATA))
        .hasMessageContaining("at least two");
  }
}
