package io.attune.launcher.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.launcher.quickstart.Question;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DemoPlanTest {
  @Test
  void theRoundStartsWhenEveryRatingHasArrived() {
    DemoPlan plan = DemoPlan.standard(7, 100);
    assertThat(plan.trainingSettings(192, DemoObjective.DPO))
        .containsEntry("attune.training.trigger.line", "assistant")
        .containsEntry("attune.training.trigger.ratings", "800")
        .containsEntry("attune.training.trigger.policy.arguments.seed", "7");
  }

  @Test
  void aWiderModelTakesSmallerSteps() {
    String key = "attune.training.trigger.policy.arguments.learning_rate";
    Map<String, String> wide = DemoPlan.standard(1, 100).trainingSettings(576, DemoObjective.DPO);
    Map<String, String> narrow = DemoPlan.standard(1, 100).trainingSettings(192, DemoObjective.DPO);
    assertThat(Double.parseDouble(narrow.get(key)) / Double.parseDouble(wide.get(key)))
        .isBetween(2.99, 3.01);
  }

  @Test
  void ratersOfOneSeedRateEquallyAndStayInRange() {
    Question question = new Question("stock", "lamp", false, "Is the lamp in stock?");
    String answer = "Hello! I will check the lamp today.";
    assertThat(rate(3, question, answer)).isEqualTo(rate(3, question, answer));
    assertThat(rate(3, question, answer)).isNotEqualTo(rate(4, question, answer));
    assertThat(rate(5, question, "No.")).allMatch(score -> score >= 0 && score <= 1);
  }

  private static List<Double> rate(long seed, Question question, String answer) {
    List<SimulatedRater> raters = SimulatedRater.several(2, seed);
    return IntStream.range(0, 20).mapToObj(i -> raters.get(i % 2).rate(question, answer)).toList();
  }

  @Test
  void onlineObjectivesLearnInRounds() {
    assertThat(DemoPlan.standard(1, 100).trainingSettings(192, DemoObjective.PPO))
        .containsEntry("attune.training.trigger.policy-objective", "ppo")
        .containsEntry("attune.training.trigger.policy.objective.num_generations", "4")
        .containsEntry("attune.training.trigger.policy.arguments.max_steps", "40");
    assertThat(DemoPlan.standard(1, 100).trainingSettings(192, DemoObjective.DPO))
        .containsEntry("attune.training.trigger.policy-objective", "dpo")
        .doesNotContainKey("attune.training.trigger.policy.arguments.max_steps");
  }
}
