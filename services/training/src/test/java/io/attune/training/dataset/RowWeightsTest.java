package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RowWeightsTest {
  private static final RaterWeights WEIGHTS =
      RaterWeights.given(
          RatingProtection.DEFAULT,
          Map.of("rater/trusted", 2.0, "rater/doubted", 0.1, "rater/liar", 0.0));

  private static PromptRatings only(RatingsForTests ratings) {
    return PromptRatings.gather(ratings.list(), WEIGHTS).get(0);
  }

  @Test
  void aRowIsAsSureAsItsRaters() {
    RatingsForTests ratings =
        new RatingsForTests()
            .score("p", "a", "ann", 1)
            .score("p", "b", "ann", 1)
            .score("p", "b", "bob", 0.5)
            .score("p", "c", "doubted", 1)
            .score("p", "d", "liar", 1);

    assertThat(ScoredRows.of(only(ratings)))
        .extracting(
            Row.Scored::completion, Row.Scored::score, row -> Math.round(1e6 * row.weight()))
        .containsExactly(
            tuple("a", 1.0, 1_000_000L), // 2 * 1 / (1 + 1)
            tuple("b", 0.75, 1_333_333L), // 2 * 2 / (2 + 1)
            tuple("c", 1.0, 181_818L)); // 2 * 0.1 / (0.1 + 1); nobody is heard about d
  }

  @Test
  void aPairIsAsSureAsTheLessSureOfItsAnswers() {
    RatingsForTests ratings =
        new RatingsForTests()
            .score("p", "a", "ann", 1)
            .score("p", "b", "doubted", 0)
            .choiceOf("trusted", "p", 0, "c", "d")
            .choiceOf("liar", "p", 0, "a", "b");

    List<Row.Pair> pairs = PairRows.of(only(ratings), new PairRows.Rule(0.1, 8));

    double between = 2 * 1 * 0.1 / 1.1;
    assertThat(pairs).extracting(Row.Pair::chosen).containsExactly("c", "a");
    assertThat(pairs.get(0).weight()).isCloseTo(2 * 2.0 / 3, within(1e-12));
    assertThat(pairs.get(1).weight()).isCloseTo(2 * between / (between + 1), within(1e-12));
    // What the liar chose settles nothing: the pair is made of scores.
    assertThat(pairs.get(1).ratingIds()).containsExactly("r0", "r1");
  }

  @Test
  void whatALiarApprovesIsNotImitated() {
    RatingsForTests ratings =
        new RatingsForTests()
            .choiceOf("liar", "p", 0, "bad", "good")
            .choiceOf("ann", "p", 1, "bad", "good");

    assertThat(SupervisedRows.of(only(ratings), 0.8))
        .extracting(Row.Supervised::completion)
        .containsExactly("good");
  }

  @Test
  void weightsAreWrittenWhereTheyDiffer() {
    RatingsForTests ratings =
        new RatingsForTests().score("p", "a", "ann", 1).score("p", "b", "trusted", 1);

    List<Row> rows = RowWeights.normalised(List.copyOf(ScoredRows.of(only(ratings))));

    assertThat(rows.get(0).toJson().get("weight").asDouble()).isCloseTo(6 / 7.0, within(1e-6));
    assertThat(rows.get(1).toJson().get("weight").asDouble()).isCloseTo(8 / 7.0, within(1e-6));
    assertThat(RowWeights.normalised(rows.subList(0, 1)).get(0).toJson().has("weight")).isFalse();
  }
}
