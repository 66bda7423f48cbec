package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class RowsTest {
  @Test
  void aScoreIsTheMeanOverRatersOfEachRatersOwnMean() {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "x", "ann", 0.0)
            .score("p", "x", "ann", 1.0)
            .score("p", "x", "bob", 0.9)
            .thumb("p", "y", "bob", true)
            .thumb("p", "y", "", false)
            .thumb("p", "y", "", false)
            .onlyPrompt();

    List<Row.Scored> rows = ScoredRows.of(prompt);

    // x: (mean(0, 1) + 0.9) / 2; y: (1 + 0 + 0) / 3, since nobody's ratings are three raters'.
    assertThat(rows)
        .extracting(Row.Scored::completion, Row.Scored::score, Row.Scored::ratingIds)
        .containsExactly(
            tuple("x", 0.7, List.of("r0", "r1", "r2")),
            tuple("y", 1.0 / 3, List.of("r3", "r4", "r5")));
  }

  @Test
  void pairsNeedTheMarginAndComeWidestFirst() {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "bad", "ann", 0.5)
            .score("p", "good", "ann", 0.6)
            .score("p", "best", "ann", 0.75)
            .score("p", "same", "ann", 0.75)
            .onlyPrompt();

    // 0.6 - 0.5 is 0.0999… in binary, and is the margin all the same. best and same are a tie.
    assertThat(PairRows.of(prompt, new PairRows.Rule(0.1, 8)))
        .extracting(Row.Pair::chosen, Row.Pair::rejected)
        .containsExactly(
            tuple("same", "bad"),
            tuple("best", "bad"),
            tuple("same", "good"),
            tuple("best", "good"),
            tuple("good", "bad"));
    assertThat(PairRows.of(prompt, new PairRows.Rule(0.1, 2))).hasSize(2);
    assertThat(PairRows.of(prompt, new PairRows.Rule(0.2, 8))).hasSize(2);
  }

  @Test
  void noMarginStillDropsTies() {
    PromptRatings prompt =
        new RatingsForTests().score("p", "x", "ann", 0.5).score("p", "y", "bob", 0.5).onlyPrompt();

    assertThat(PairRows.of(prompt, new PairRows.Rule(0, 8))).isEmpty();
  }

  /** The heap that never enumerates all pairs must agree with enumerating all pairs. */
  @RepeatedTest(50)
  void pairsAgreeWithAllPairsSorted(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    RatingsForTests ratings = new RatingsForTests();
    int answers = 2 + random.nextInt(12);
    List<Double> scores = new ArrayList<>();
    for (int i = 0; i < answers; i++) {
      scores.add(random.nextInt(11) / 10.0);
      ratings.score("p", "a" + i, "ann", scores.get(i));
    }
    double margin = random.nextInt(6) / 10.0;
    List<Double> widths = new ArrayList<>();
    for (double a : scores) {
      for (double b : scores) {
        if (a - b > 1e-9 && a - b >= margin - 1e-9) {
          widths.add(a - b);
        }
      }
    }
    widths.sort(Comparator.reverseOrder());

    List<Row.Pair> pairs = PairRows.of(ratings.onlyPrompt(), new PairRows.Rule(margin, 10));

    assertThat(pairs)
        .extracting(
            pair ->
                scores.get(Integer.parseInt(pair.chosen().substring(1)))
                    - scores.get(Integer.parseInt(pair.rejected().substring(1))))
        .containsExactlyElementsOf(widths.subList(0, Math.min(10, widths.size())));
    assertThat(pairs).doesNotHaveDuplicates();
  }

  @Test
  void choicesAndCorrectionsMakePairsByMajorityBeforeScores() {
    PromptRatings prompt =
        new RatingsForTests()
            .choiceOf("bob", "p", 1, "x", "y", "z")
            .choiceOf("eve", "p", 1, "x", "y")
            .choiceOf("eve", "p", 0, "y", "z")
            .choiceOf("joe", "p", 0, "z", "y")
            .correction("p", "x", "corrected")
            .score("p", "x", "ann", 1.0)
            .score("p", "y", "ann", 0.0)
            .score("p", "z", "ann", 0.5)
            .onlyPrompt();

    // y>x by two; y>z by two against one; corrected>x by one. The scores say x>y, which votes
    // settle.
    assertThat(PairRows.of(prompt, new PairRows.Rule(0.1, 8)))
        .extracting(Row.Pair::chosen, Row.Pair::rejected, pair -> List.copyOf(pair.ratingIds()))
        .containsExactly(
            tuple("y", "x", List.of("r0", "r1")),
            tuple("corrected", "x", List.of("r4")),
            tuple("y", "z", List.of("r0", "r2", "r3")),
            tuple("x", "z", List.of("r5", "r7")));
  }

  @Test
  void asManyVotesEitherWayMakeNoPair() {
    PromptRatings prompt =
        new RatingsForTests().choice("p", 0, "x", "y").choice("p", 1, "x", "y").onlyPrompt();

    assertThat(PairRows.of(prompt, new PairRows.Rule(0, 8))).isEmpty();
  }

  @Test
  void whoVotesTwiceCountsOnce() {
    PromptRatings prompt =
        new RatingsForTests()
            .choiceOf("eve", "p", 0, "x", "y")
            .choiceOf("eve", "p", 0, "x", "y")
            .choiceOf("eve", "p", 0, "x", "y")
            .choiceOf("bob", "p", 1, "x", "y")
            .choiceOf("ann", "p", 1, "x", "y")
            .onlyPrompt();

    assertThat(PairRows.of(prompt, new PairRows.Rule(0, 8)))
        .extracting(Row.Pair::chosen, Row.Pair::rejected)
        .containsExactly(tuple("y", "x"));
  }

  @Test
  void aPairsMarginIsTheScoresDifferenceTimesAFactor() throws Exception {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "good", "ann", 0.9)
            .score("p", "bad", "ann", 0.4)
            .correction("p", "bad", "corrected")
            .onlyPrompt();

    List<Row.Pair> pairs = PairRows.of(prompt, new PairRows.Rule(0.1, 8, 3));

    // Who corrects an answer does not say by how much.
    assertThat(pairs)
        .extracting(Row.Pair::chosen, pair -> Math.round(1e9 * pair.margin()))
        .containsExactly(tuple("corrected", 0L), tuple("good", 1_500_000_000L));
    assertThat(pairs.get(1).toJson())
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    "{\"prompt\":\"p\",\"chosen\":\"good\",\"rejected\":\"bad\",\"margin\":1.5}"));
    assertThat(pairs.get(0).toJson().has("margin")).isFalse();
  }

  @Test
  void aCorrectionThatChangesNothingIsNoPair() {
    assertThat(
            PairRows.of(
                new RatingsForTests().correction("p", "x", "x").onlyPrompt(),
                new PairRows.Rule(0, 8)))
        .isEmpty();
  }

  @Test
  void supervisedRowsAreGoodOrApprovedAnswers() {
    PromptRatings prompt =
        new RatingsForTests()
            .score("p", "good", "ann", 0.8)
            .score("p", "poor", "ann", 0.7)
            .correction("p", "poor", "corrected")
            .choice("p", 0, "poor", "good")
            .choice("p", 1, "poor", "chosen")
            .onlyPrompt();

    assertThat(SupervisedRows.of(prompt, 0.8))
        .extracting(Row.Supervised::completion, Row.Supervised::ratingIds)
        .containsExactly(
            tuple("chosen", List.of("r4")),
            tuple("corrected", List.of("r2")),
            tuple("good", List.of("r0")));
  }

  @Test
  void anAnswerToAConversationIsATurnOfIt() throws Exception {
    ObjectMapper json = new ObjectMapper();
    var conversation = json.readTree("[{\"role\":\"user\",\"content\":\"hi\"}]");

    assertThat(new Row.Pair(conversation, "yes", "no", List.of()).toJson())
        .isEqualTo(
            json.readTree(
                """
                {"prompt":[{"role":"user","content":"hi"}],
                 "chosen":[{"role":"assistant","content":"yes"}],
                 "rejected":[{"role":"assistant","content":"no"}]}
                """));
    assertThat(new Row.Scored(json.readTree("\"hi\""), "yes", 0.5, List.of()).toJson())
        .isEqualTo(json.readTree("{\"prompt\":\"hi\",\"score\":0.5,\"completion\":\"yes\"}"));
  }
}
