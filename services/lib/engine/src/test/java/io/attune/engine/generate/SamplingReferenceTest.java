package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is left of a distribution is what transformers leaves: see make_sampling.py. */
class SamplingReferenceTest {

  record Case(JsonNode all, JsonNode json) {
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(json.get("row").asText());
      json.fields()
          .forEachRemaining(
              field -> {
                if (!List.of("row", "ids", "probabilities").contains(field.getKey())) {
                  text.append(' ').append(field.getKey()).append('=').append(field.getValue());
                }
              });
      return text.toString();
    }

    SamplingParameters parameters() {
      Map<Integer, Double> bias = new HashMap<>();
      json.get("logit_bias")
          .fields()
          .forEachRemaining(b -> bias.put(Integer.valueOf(b.getKey()), b.getValue().asDouble()));
      return SamplingParameters.builder()
          .temperature(json.get("temperature").asDouble())
          .topK(json.get("top_k").asInt())
          .topP(json.get("top_p").asDouble())
          .minP(json.get("min_p").asDouble())
          .repetitionPenalty(json.get("repetition_penalty").asDouble())
          .presencePenalty(json.get("presence_penalty").asDouble())
          .frequencyPenalty(json.get("frequency_penalty").asDouble())
          .logitBias(bias)
          .build();
    }

    boolean cutsEqualOnes() {
      return List.of("ties", "boundary").contains(json.get("row").asText())
          && json.get("top_p").asDouble() < 1;
    }

    float[] logits() {
      JsonNode row = all.get("rows").get(json.get("row").asText());
      float[] logits = new float[row.size()];
      for (int i = 0; i < logits.length; i++) {
        JsonNode value = row.get(i);
        logits[i] = value.isNull() ? Float.NEGATIVE_INFINITY : value.floatValue();
      }
      return logits;
    }
  }

  static List<Case> cases() throws IOException {
    JsonNode all = Golden.json("sampling/expected.json");
    return StreamSupport.stream(all.get("cases").spliterator(), false)
        .map(json -> new Case(all, json))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void probabilitiesAreTheReferences(Case given) {
    float[] row = given.logits();
    double[] expected = new double[row.length];
    for (int i = 0; i < given.json().get("ids").size(); i++) {
      expected[given.json().get("ids").get(i).asInt()] =
          given.json().get("probabilities").get(i).asDouble();
    }
    double[] actual = new double[row.length];
    try (NDManager scope = Torch.scope("test")) {
      Logits logits =
          adjustments(given)
              .apply(Logits.row(scope, scope.create(row, new Shape(1, row.length)), 0));
      var truncation = new Truncation(given.parameters());
      // Few to begin with, so that the decision that more are needed is tested as well.
      for (int k = 1; ; k *= 2) {
        Candidates candidates = logits.top(k);
        Truncation.Kept kept = truncation.keep(candidates, logits.mass(truncation.temperature()));
        if (kept != null) {
          for (int i = 0; i < kept.size(); i++) {
            actual[candidates.ids()[i]] = kept.weights()[i] / kept.sum();
          }
          break;
        }
      }
    }

    if (given.cutsEqualOnes()) {
      // Which of several equal tokens top-p keeps is not defined there; how many, it is.
      Arrays.sort(actual);
      Arrays.sort(expected);
    }
    for (int i = 0; i < row.length; i++) {
      assertThat(actual[i]).as("token %d", i).isCloseTo(expected[i], within(1e-5));
    }
  }

  private static Adjustments adjustments(Case given) {
    var adjustments = new Adjustments(given.parameters(), Golden.ints(given.all().get("prompt")));
    for (int id : Golden.ints(given.all().get("written"))) {
      adjustments.wrote(id);
    }
    return adjustments;
  }
}
