package io.attune.engine.online;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which prompts an iteration takes, and which completions a step learns from. */
class UpdatePlanTest {

  @Test
  void promptsComeOnceAnEpochWithoutGaps() {
    PromptOrder order = new PromptOrder(10, 4, 7, true);
    List<Integer> all = new ArrayList<>();
    for (int iteration = 0; iteration < 5; iteration++) {
      assertThat(order.of(iteration)).hasSize(4).isEqualTo(order.of(iteration));
      all.addAll(order.of(iteration));
    }
    Integer[] every = IntStream.range(0, 10).boxed().toArray(Integer[]::new);
    assertThat(all.subList(0, 10)).containsExactlyInAnyOrder(every).isNotEqualTo(List.of(every));
    assertThat(all.subList(10, 20)).containsExactlyInAnyOrder(every);
    assertThat(all.subList(0, 10)).isNotEqualTo(all.subList(10, 20));
    assertThat(new PromptOrder(3, 7, 1, false).of(1)).containsExactly(1, 2, 0, 1, 2, 0, 1);
  }

  @Test
  void eachEpochLearnsFromEveryCompletionOnce() {
    UpdatePlan plan = new UpdatePlan(2, 3, 4, 2, 3, true);
    assertThat(plan.completions()).isEqualTo(24);
    assertThat(plan.prompts()).isEqualTo(12);
    assertThat(plan.updates()).isEqualTo(12);
    List<List<Integer>> epochs = new ArrayList<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      List<Integer> seen = new ArrayList<>();
      assertThat(plan.epoch(5, epoch)).hasSize(4);
      for (List<int[]> mini : plan.epoch(5, epoch)) {
        assertThat(mini).hasSize(3);
        List<Integer> members = new ArrayList<>();
        mini.forEach(part -> IntStream.of(part).forEach(members::add));
        assertThat(members).isSorted();
        seen.addAll(members);
      }
      assertThat(seen).hasSize(24).doesNotHaveDuplicates();
      epochs.add(seen);
    }
    assertThat(epochs.get(0)).isNotEqualTo(epochs.get(1));
    UpdatePlan kept = new UpdatePlan(2, 3, 4, 2, 3, false);
    assertThat(kept.epoch(5, 2)).usingRecursiveComparison().isEqualTo(kept.epoch(5, 0));
    assertThat(kept.epoch(6, 0)).usingRecursiveComparison().isNotEqualTo(kept.epoch(5, 0));
  }

  @Test
  void groupsAreWhole() {
    assertThatThrownBy(() -> new UpdatePlan(3, 1, 1, 2, 2, true))
        .hasMessageContaining("4 completions")
        .hasMessageContaining("num_generations (3)");
    assertThatThrownBy(() -> new UpdatePlan(1, 0, 1, 2, 2, true))
        .hasMessageContaining("'num_iterations' is 0");
  }
}
