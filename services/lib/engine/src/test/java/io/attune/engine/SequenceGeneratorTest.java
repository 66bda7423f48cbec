package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.TokenConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written token by token, as transformers writes it; how texts end. */
class SequenceGeneratorTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"t5", "bart", "t5-relu", "t5-untied", "bart-scaled", "seed2/t5", "seed2/bart"})
  void greedyTextsAreThoseOfTransformers(String name) throws IOException {
    JsonNode expected = Golden.json(Golden.folder("models", name) + "/expected.json");
    List<int[]> sources = Golden.sequences(expected);
    try (SequenceToSequence model = load(name)) {
      for (int row = 0; row < sources.size(); row++) {
        int[] greedy = Golden.ints(expected.get("greedy").get(row));
        TokenConstraints constraints = model.constraints(greedy.length - 1);
        Heard heard = generate(model, sources.get(row), constraints, greedy(greedy.length - 1));
        assertThat(heard.ids)
            .containsExactly(untilEnd(Arrays.copyOfRange(greedy, 1, greedy.length), constraints));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5-relu", "t5-untied", "bart-scaled"})
  void forbiddenRepetitionAndMinimalLengthAreThoseOfTransformers(String name) throws IOException {
    JsonNode expected = Golden.json("models/" + name + "/expected.json");
    List<int[]> sources = Golden.sequences(expected);
    JsonNode search = expected.get("search").get(8);
    assertThat(search.get("parameters").get("num_beams").asInt()).isEqualTo(1);
    try (SequenceToSequence model = load(name)) {
      for (int row = 0; row < sources.size(); row++) {
        TokenConstraints constraints =
            SequenceSearchTest.constraints(model, search.get("parameters"));
        Heard heard = generate(model, sources.get(row), constraints, greedy(14));
        assertThat(heard.ids)
            .containsExactlyElementsOf(
                Arrays.stream(Golden.ints(search.get("texts").get(row).get(0))).boxed().toList());
        assertThat(heard.completed.stopped())
            .isEqualTo(constraints.eosTokenIds().contains(last(heard)));
      }
    }
  }

  @Test
  void aSeedRepeatsASampledText() {
    try (SequenceToSequence model = load("t5-untied")) {
      SamplingParameters sampled =
          SamplingParameters.builder()
              .temperature(1.3)
              .maxNewTokens(12)
              .seed(OptionalLong.of(7))
              .build();
      TokenConstraints constraints = model.constraints(12);
      Heard first = generate(model, new int[] {5, 6, 7}, constraints, sampled);
      Heard second = generate(model, new int[] {5, 6, 7}, constraints, sampled);
      Heard likeliest = generate(model, new int[] {5, 6, 7}, constraints, greedy(12));
      assertThat(first.ids).isEqualTo(second.ids).isNotEqualTo(likeliest.ids);
      assertThat(first.text.toString()).isEqualTo(first.completed.text());
    }
  }

  @Test
  void aStopTextEndsTheText() {
    try (SequenceToSequence model = load("t5-untied")) {
      TokenConstraints constraints = model.constraints(12);
      String whole = generate(model, new int[] {5, 6, 7}, constraints, greedy(12)).completed.text();
      String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 2);
      Heard heard =
          generate(
              model,
              new int[] {5, 6, 7},
              constraints,
              SamplingParameters.builder()
                  .temperature(0)
                  .maxNewTokens(12)
                  .stop(List.of(stop))
                  .build());
      assertThat(heard.completed.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
      assertThat(heard.completed.stopped()).isTrue();
    }
  }

  @Test
  void aCancelledTextSaysSo() {
    try (SequenceToSequence model = load("t5-untied")) {
      Heard heard = new Heard();
      new SequenceGenerator(model)
          .generate(
              new SequenceRequest(new int[] {5}, null, greedy(12), model.constraints(12)),
              heard,
              () -> heard.ids.size() == 3);
      assertThat(heard.ids).hasSize(3);
      assertThat(heard.failure.reason()).isEqualTo(Reason.CANCELLED);
    }
  }

  @Test
  void sourcesThatDoNotFitAreRefused() {
    try (SequenceToSequence model = load("bart-scaled")) {
      assertThatThrownBy(() -> generate(model, new int[65], model.constraints(4), greedy(4)))
          .hasMessageContaining("65 tokens")
          .hasMessageContaining("64");
      assertThatThrownBy(() -> generate(model, new int[0], model.constraints(4), greedy(4)))
          .hasMessageContaining("no token");
      // What exceeds the decoder's positions ends the text.
      Heard heard = generate(model, new int[] {5}, model.constraints(100), greedy(100));
      assertThat(heard.ids).hasSize(63);
    }
  }

  private static SequenceToSequence load(String name) {
    return SequenceToSequence.load(
        Golden.path(Golden.folder("models", name)), LoadOptions.defaults());
  }

  private static SamplingParameters greedy(int maxNewTokens) {
    return SamplingParameters.greedy(maxNewTokens);
  }

  private static int last(Heard heard) {
    return heard.ids.get(heard.ids.size() - 1);
  }

  /** The reference pads texts that ended before others of their batch. */
  private static Integer[] untilEnd(int[] ids, TokenConstraints constraints) {
    List<Integer> result = new ArrayList<>();
    for (int id : ids) {
      result.add(id);
      if (constraints.eosTokenIds().contains(id)) {
        break;
      }
    }
    return result.toArray(Integer[]::new);
  }

  private static Heard generate(
      SequenceToSequence model,
      int[] source,
      TokenConstraints constraints,
      SamplingParameters sampling) {
    Heard heard = new Heard();
    new SequenceGenerator(model)
        .generate(new SequenceRequest(source, null, sampling, constraints), heard, () -> false);
    assertThat(heard.failure).isNull();
    return heard;
  }

  private static final class Heard implements GenerationListener {
    final List<Integer> ids = new ArrayList<>();
    final StringBuilder text = new StringBuilder();
    CompletedGeneration completed;
    EngineException failure;

    @Override
    public void onToken(GeneratedToken token) {
      ids.add(token.id());
      text.append(token.text());
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      completed = generation;
    }

    @Override
    public void onFailure(EngineException reason) {
      failure = reason;
    }
  }
}
