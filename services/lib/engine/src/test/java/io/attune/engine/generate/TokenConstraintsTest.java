package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TokenConstraintsTest {
  private static final float NO = Float.NEGATIVE_INFINITY;

  @Test
  void nothingIsChangedWithoutARule() {
    assertThat(scores(new TokenConstraints(0, 0, -1, List.of(), Set.of(1), 9), 0, 3, 3))
        .containsExactly(1, 2, 3, 4, 5);
  }

  @Test
  void whatWouldRepeatAnNgramIsForbidden() {
    TokenConstraints pairs = new TokenConstraints(0, 2, -1, List.of(), Set.of(1), 9);
    assertThat(scores(pairs, 0, 3, 2, 3, 4, 3)).containsExactly(1, 2, NO, 4, NO);
    assertThat(scores(pairs, 0)).containsExactly(1, 2, 3, 4, 5);
    TokenConstraints single = new TokenConstraints(0, 1, -1, List.of(), Set.of(1), 9);
    assertThat(scores(single, 0, 4)).containsExactly(NO, 2, 3, 4, NO);
    TokenConstraints triples = new TokenConstraints(0, 3, -1, List.of(), Set.of(1), 9);
    assertThat(scores(triples, 0, 2, 4, 0, 2)).containsExactly(1, 2, 3, 4, NO);
    assertThat(scores(triples, 0, 2)).containsExactly(1, 2, 3, 4, 5);
  }

  @Test
  void aShortTextMayNotEnd() {
    TokenConstraints three = new TokenConstraints(3, 0, -1, List.of(), Set.of(1, 2), 9);
    assertThat(scores(three, 0, 4)).containsExactly(1, NO, NO, 4, 5);
    assertThat(scores(three, 0, 4, 4)).containsExactly(1, 2, 3, 4, 5);
  }

  @Test
  void firstAndLastTokensCanBeForced() {
    TokenConstraints forced = new TokenConstraints(0, 0, 3, List.of(1, 2), Set.of(1, 2), 4);
    assertThat(scores(forced, 0)).containsExactly(NO, NO, NO, 0, NO);
    assertThat(scores(forced, 0, 3)).containsExactly(1, 2, 3, 4, 5);
    assertThat(scores(forced, 0, 3, 4)).containsExactly(NO, 0, 0, NO, NO);
    assertThat(forced.ends(4, 3)).isFalse();
    assertThat(forced.ends(2, 3)).isTrue();
    assertThat(forced.ends(4, 4)).isTrue();
  }

  @Test
  void limitsThatNoTextCanKeepAreRefused() {
    assertThatThrownBy(() -> new TokenConstraints(-1, 0, -1, List.of(), Set.of(1), 9))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("min_length");
    assertThatThrownBy(() -> new TokenConstraints(0, 0, -1, List.of(), Set.of(1), 1))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("room");
  }

  @Test
  void searchesThatMakeNoSenseAreRefused() {
    assertThatThrownBy(() -> BeamSearchParameters.of(0)).hasMessageContaining("num_beams");
    assertThatThrownBy(
            () -> new BeamSearchParameters(2, 1, BeamSearchParameters.EarlyStopping.of("true"), 3))
        .hasMessageContaining("num_return_sequences");
    assertThatThrownBy(() -> BeamSearchParameters.EarlyStopping.of("sometimes"))
        .hasMessageContaining("early_stopping");
  }

  private static float[] scores(TokenConstraints constraints, int... text) {
    float[] scores = {1, 2, 3, 4, 5};
    constraints.apply(scores, text, text.length);
    return scores;
  }
}
