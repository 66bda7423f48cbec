package io.attune.launcher.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.attune.launcher.quickstart.Dialogue;
import io.attune.launcher.quickstart.Question;
import io.attune.launcher.quickstart.ShopDialogues;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RubricTest {
  private static final Question BROKEN =
      new Question("broken-item", "kettle", true, "My kettle arrived broken.");
  private static final Question STOCK =
      new Question("stock", "lamp", false, "Is the lamp in stock?");

  @Test
  void aReplyWithEverythingEarnsEverything() {
    assertThat(
            Rubric.score(
                BROKEN,
                "Hello! I am sorry about the kettle. I will send you a new kettle today."
                    + " Have a lovely day!"))
        .isEqualTo(1);
    assertThat(
            Rubric.score(
                STOCK,
                "Hi there! We have the lamp here and can ship it by tomorrow. Have a lovely day!"))
        .isEqualTo(1);
  }

  @Test
  void anApologyIsDueOnlyWhereSomethingWentWrong() {
    String withoutApology =
        "Hello! I will send you a new kettle today. Is there anything else I can do?";
    assertThat(Rubric.score(BROKEN, withoutApology)).isEqualTo(0.8, within(1e-9));
  }

  @Test
  void curtAndBlamingRepliesEarnNothing() {
    assertThat(Rubric.score(BROKEN, "That is your own fault.")).isZero();
    assertThat(Rubric.score(STOCK, "See the website.")).isZero();
    assertThat(Rubric.score(STOCK, "")).isZero();
  }

  @Test
  void blameAndLengthCost() {
    String good = "Hello! I will check the stock of the lamp today. Have a nice day!";
    assertThat(Rubric.score(STOCK, good) - Rubric.score(STOCK, "Stop asking. " + good))
        .isEqualTo(0.3 + 0.15 / 0.8, within(1e-9)); // blame, and the greeting is first no more
    assertThat(Rubric.score(STOCK, good) - Rubric.score(STOCK, good + " very".repeat(80)))
        .isGreaterThanOrEqualTo(0.2);
  }

  @Test
  void theCorpusHasRoomToLearn() {
    ShopDialogues shop = new ShopDialogues(17);
    double mean =
        IntStream.range(0, 4000)
            .mapToObj(i -> shop.dialogue())
            .mapToDouble(RubricTest::scoreOf)
            .average()
            .orElseThrow();
    assertThat(mean).isBetween(0.40, 0.55);
  }

  private static double scoreOf(Dialogue dialogue) {
    return Rubric.score(dialogue.question(), dialogue.reply());
  }
}
