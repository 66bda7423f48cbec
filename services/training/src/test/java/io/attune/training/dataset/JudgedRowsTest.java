package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JudgedRowsTest {
  private static final PairRows.Rule PAIRS = new PairRows.Rule(0.1, 8);

  @Test
  void thumbsAndClearScoresAreJudgements() throws Exception {
    PromptRatings prompt =
        new RatingsForTests()
            .thumb("p", "a", "ann", true)
            .thumb("p", "b", "ann", false)
            .thumb("p", "disputed", "ann", true)
            .thumb("p", "disputed", "bob", false)
            .score("p", "good", "ann", 0.6)
            .score("p", "so so", "ann", 0.55)
            .onlyPrompt();

    List<Row.Judged> rows = JudgedRows.of(prompt, 0.1);

    assertThat(rows)
        .extracting(Row.Judged::completion, Row.Judged::desirable)
        .containsExactly(tuple("a", true), tuple("b", false), tuple("good", true));
    assertThat(rows.get(1).toJson())
        .isEqualTo(
            new ObjectMapper().readTree("{\"prompt\":\"p\",\"label\":false,\"completion\":\"b\"}"));
  }

  @Test
  void aLoneThumbIsOneThatNoPairHas() {
    PromptRatings compared =
        new RatingsForTests()
            .thumb("p", "a", "ann", true)
            .thumb("p", "b", "ann", false)
            .onlyPrompt();
    PromptRatings lone =
        new RatingsForTests()
            .thumb("p", "a", "ann", true)
            .thumb("p", "b", "bob", true)
            .onlyPrompt();

    assertThat(JudgedRows.unpaired(compared, 0.1, PAIRS)).isEmpty();
    assertThat(JudgedRows.unpaired(lone, 0.1, PAIRS))
        .extracting(Row.Judged::completion)
        .containsExactly("a", "b");
  }

  /** The two sides weigh 1:1 to 4:3, and only the lighter one's weight is raised. */
  @ParameterizedTest
  @CsvSource({"10,10,1,1", "12,10,1,1", "40,10,1,3", "10,40,4,1", "5,0,1,1", "0,5,1,1"})
  void ktoIsBalanced(int good, int bad, double desirable, double undesirable) {
    List<Row.Judged> rows = new ArrayList<>();
    for (int i = 0; i < good + bad; i++) {
      rows.add(new Row.Judged(TextNode.valueOf("p"), "x" + i, i < good, 1, List.of()));
    }

    KtoWeights weights = KtoWeights.of(rows);

    assertThat(weights.desirable()).isCloseTo(desirable, within(1e-12));
    assertThat(weights.undesirable()).isCloseTo(undesirable, within(1e-12));
  }

  @Test
  void promptsToAnswerAreThoseThatSayAnything() {
    RatingsForTests ratings =
        new RatingsForTests()
            .thumb("p", "a", "ann", true)
            .thumb("p", "b", "ann", true)
            .thumb("", "c", "ann", true);

    assertThat(
            PromptRatings.gather(ratings.list()).stream()
                .flatMap(prompt -> PromptRows.of(prompt).stream())
                .toList())
        .containsExactly(new Row.Prompt(TextNode.valueOf("p"), List.of("r0", "r1")));
  }
}
