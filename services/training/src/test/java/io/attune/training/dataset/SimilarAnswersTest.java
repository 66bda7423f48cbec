package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import org.junit.jupiter.api.Test;

class SimilarAnswersTest {
  @Test
  void answersThatHardlyDifferAreOneAndKnownByTheUsualText() {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "It is  fine.", "ann", 1)
            .score("p", "it is fine.\n", "bob", 0)
            .score("p", "It is\u00a0fine.", "joe", 0.5)
            .score("p", "It is  fine.", "eve", 0.5)
            .score("p", "It is not.", "eve", 0.3)
            .onlyPrompt();

    assertThat(ScoredRows.of(prompt))
        .extracting(Row.Scored::completion, Row.Scored::score)
        .containsExactly(tuple("It is  fine.", 0.5), tuple("It is not.", 0.3));
  }

  @Test
  void aDifferenceThatSomebodyPointedAtCounts() {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "if x:\n return", "ann", 0.2)
            .score("p", "if x:\n    return", "ann", 0.9)
            .correction("p", "if x:\n return", "if x:\n    return")
            .onlyPrompt();

    assertThat(ScoredRows.of(prompt)).hasSize(2);
    assertThat(PairRows.of(prompt, new PairRows.Rule(0.1, 8)))
        .extracting(Row.Pair::chosen, Row.Pair::rejected)
        .containsExactly(tuple("if x:\n    return", "if x:\n return"));
  }

  @Test
  void compatibleCharactersAreOneForm() {
    assertThat(SimilarAnswers.form("\u212b\u3000\uff21BC ")).isEqualTo("\u00e5 abc");
  }
}
