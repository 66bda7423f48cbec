package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SamplingParametersTest {

  static Stream<Arguments> wrong() {
    return Stream.of(
        wrong("temperature", b -> b.temperature(-0.1)),
        wrong("temperature", b -> b.temperature(Double.NaN)),
        wrong("temperature", b -> b.temperature(Double.POSITIVE_INFINITY)),
        wrong("top_k", b -> b.topK(-1)),
        wrong("top_p", b -> b.topP(0)),
        wrong("top_p", b -> b.topP(1.01)),
        wrong("min_p", b -> b.minP(-0.01)),
        wrong("min_p", b -> b.minP(1.01)),
        wrong("repetition_penalty", b -> b.repetitionPenalty(0)),
        wrong("repetition_penalty", b -> b.repetitionPenalty(Double.NaN)),
        wrong("presence_penalty", b -> b.presencePenalty(2.1)),
        wrong("frequency_penalty", b -> b.frequencyPenalty(-2.1)),
        wrong("logit_bias of token 7", b -> b.logitBias(Map.of(7, 101.0))),
        wrong("token -1", b -> b.logitBias(Map.of(-1, 1.0))),
        wrong("log-probabilities", b -> b.topLogProbabilities(21)),
        wrong("new token", b -> b.maxNewTokens(0)),
        wrong("stop text", b -> b.stop(List.of(""))));
  }

  private static Arguments wrong(String named, UnaryOperator<SamplingParameters.Builder> change) {
    return Arguments.of(named, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void valueOutOfRangeIsRefusedByName(
      String named, UnaryOperator<SamplingParameters.Builder> change) {
    assertThatThrownBy(() -> change.apply(SamplingParameters.builder()).build())
        .isInstanceOfSatisfying(
            EngineException.class,
            refused -> assertThat(refused.reason()).isEqualTo(Reason.INVALID_ARGUMENT))
        .hasMessageContaining(named);
  }

  @Test
  void changingNothingGivesTheSame() {
    SamplingParameters all =
        new SamplingParameters(
            0.5,
            3,
            0.9,
            0.1,
            1.2,
            -1,
            2,
            Map.of(4, -5.0),
            7,
            true,
            11,
            List.of("x"),
            java.util.OptionalLong.of(9));
    assertThat(all.toBuilder().build()).isEqualTo(all);
  }
}
