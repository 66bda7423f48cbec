package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.LabelledText;
import io.attune.engine.data.SourceAndTarget;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Models;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Classification;
import io.attune.engine.objective.LabelLoss;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.SequenceTransduction;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.TokenizedText;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models drop out what transformers' drop out: from one seed, libtorch draws the same elements in
 * the same order, so the loss of a text in training mode is the same number. {@code
 * golden/kinds/make_kinds.py} has the reference.
 */
class DropoutTest {
  private static final List<String> RATES =
      List.of(
          "hidden_dropout_prob",
          "attention_probs_dropout_prob",
          "dropout_rate",
          "dropout",
          "attention_dropout",
          "seq_classif_dropout");

  @ParameterizedTest
  @CsvSource({"bert-classifier", "roberta-classifier", "distilbert-classifier"})
  void encodersDropWhatTheReferenceDrops(String model) throws IOException {
    JsonNode expected = Golden.json("kinds/dropout.json");
    LabelledText text =
        new LabelledText(
            TokenizedText.of(Golden.ints(expected.get("input_ids"))),
            new int[0],
            new double[][] {{expected.get("label").asInt()}});
    assertLoss(model, new Classification(new LabelLoss.CrossEntropy(0)), text, expected);
  }

  @ParameterizedTest
  @CsvSource({"t5-relu", "bart-scaled"})
  void encoderDecodersDropWhatTheReferenceDrops(String model) throws IOException {
    JsonNode expected = Golden.json("kinds/dropout.json");
    int[] source = Golden.ints(expected.get("input_ids"));
    int[] target = Golden.ints(expected.get("target"));
    assertLoss(
        model,
        new SequenceTransduction(Sft.Config.DEFAULT),
        new SourceAndTarget(source, target),
        expected);
  }

  private static <E> void assertLoss(
      String model, Objective<E> objective, E example, JsonNode expected) {
    HubLayout layout = HubLayout.of(Golden.path("models/" + model));
    ObjectNode config = layout.config();
    RATES.stream().filter(config::has).forEach(r -> config.put(r, expected.get("rate").asDouble()));
    Architecture architecture = Models.architecture(config, model);
    try (Weights weights = Runs.weights(architecture, "models/" + model, true);
        Policy policy =
            Policy.ofWeights(architecture, weights, weights, weights.parameters().keySet(), true);
        NDManager scope = Torch.scope("test")) {
      Reader<E> reader = new Reader<>(policy, objective);
      double weight = objective.weight(example);
      Torch.seed(expected.get("seed").asLong());
      double loss = reader.forwardBackward(List.of(example), null, weight).value();
      assertThat(loss).isCloseTo(expected.get("losses").get(model).asDouble(), within(1e-4));
      // The same weights without dropout say something else, and always the same.
      Reader<E> evaluated = new Reader<>(policy.forEvaluation(), objective);
      double still = loss(evaluated, objective, example);
      assertThat(still)
          .isNotCloseTo(loss, within(1e-4))
          .isEqualTo(loss(evaluated, objective, example));
    }
  }

  private static <E> double loss(Reader<E> reader, Objective<E> objective, E example) {
    return objective
        .loss(
            List.of(example), reader.read(List.of(example), false), null, objective.weight(example))
        .value();
  }
}
