package io.attune.engine.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.evaluate.FScore.Quantity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/**
 * Every metric against its reference implementation: sacrebleu, rouge-score (with NLTK's stemmer),
 * scikit-learn, the script of SQuAD and NumPy; golden/evaluate/make_metrics.py asked them.
 */
class ReferenceScoresTest {
  private static final Offset<Double> EXACT = within(1e-8); // the file has nine decimals

  private static final JsonNode EXPECTED =
      JsonFiles.readObject(Path.of(Golden.path("evaluate").toString(), "metrics.json"), 1 << 20);

  @Test
  void bleuIsSacrebleus() {
    for (JsonNode expected : EXPECTED.get("bleu")) {
      Bleu corpus = bleu(expected, false);
      Bleu sentence = bleu(expected, true);
      int references = expected.get("references").intValue();

      assertThat(corpus.signature(references)).isEqualTo(expected.get("signature").textValue());
      assertThat(score(corpus, references))
          .as(corpus + " with " + references)
          .isCloseTo(expected.get("corpus").doubleValue(), EXACT);
      assertThat(score(sentence, references))
          .as(sentence + " with " + references)
          .isCloseTo(expected.get("corpusEffective").doubleValue(), EXACT);
      checkSentences(sentence, references, expected.get("sentences"));
    }
  }

  private static Bleu bleu(JsonNode expected, boolean effectiveOrder) {
    return new Bleu(
        find(BleuTokenizer.values(), BleuTokenizer::signature, expected.get("tokenizer")),
        expected.get("lowercase").booleanValue(),
        find(Bleu.Smoothing.values(), Bleu.Smoothing::signature, expected.get("smoothing")),
        expected.get("value").doubleValue(),
        effectiveOrder);
  }

  @Test
  void chrfIsSacrebleus() {
    for (JsonNode expected : EXPECTED.get("chrf")) {
      Chrf metric =
          new Chrf(
              expected.get("charOrder").intValue(),
              expected.get("wordOrder").intValue(),
              expected.get("beta").intValue(),
              expected.get("lowercase").booleanValue(),
              expected.get("whitespace").booleanValue(),
              expected.get("epsSmoothing").booleanValue());
      int references = expected.get("references").intValue();

      assertThat(metric.signature(references)).isEqualTo(expected.get("signature").textValue());
      assertThat(score(metric, references))
          .as(metric + " with " + references)
          .isCloseTo(expected.get("corpus").doubleValue(), EXACT);
      checkSentences(metric, references, expected.get("sentences"));
    }
  }

  @Test
  void rougeIsThatOfTheRougeScorePackage() {
    for (JsonNode expected : EXPECTED.get("rouge")) {
      Rouge metric =
          new Rouge(
              find(
                  Rouge.Kind.values(), kind -> new Rouge(kind, false).name(), expected.get("kind")),
              expected.get("stemmer").booleanValue());
      int references = expected.get("references").intValue();

      assertThat(score(metric, references))
          .as(metric + " with " + references)
          .isCloseTo(expected.get("mean").doubleValue(), EXACT);
      for (int i = 0; i < EXPECTED.get("pairs").size(); i++) {
        JsonNode pair = EXPECTED.get("pairs").get(i);
        double[] own =
            metric.statistics(pair.get("hypothesis").textValue(), references(pair, references));
        JsonNode values = expected.get("sentences").get(i);
        for (int k = 0; k < 3; k++) {
          assertThat(own[k])
              .as(metric + " of " + pair)
              .isCloseTo(values.get(k).doubleValue(), EXACT);
        }
      }
    }
  }

  @Test
  void stemsAreNltks() {
    EXPECTED
        .get("stems")
        .properties()
        .forEach(
            stem ->
                assertThat(PorterStemmer.stem(stem.getKey()))
                    .as(stem.getKey())
                    .isEqualTo(stem.getValue().textValue()));
  }

  @Test
  void classificationIsScikitLearns() {
    for (JsonNode expected : EXPECTED.get("classification")) {
      Confusions rows =
          new Confusions(
              integers(expected.get("truth")),
              integers(expected.get("predicted")),
              expected.get("labels").intValue());
      String what = expected.toString();

      assertThat(new Accuracy().score(rows))
          .as(what)
          .isCloseTo(expected.get("accuracy").doubleValue(), EXACT);
      assertThat(new MatthewsCorrelation().score(rows))
          .as(what)
          .isCloseTo(expected.get("mcc").doubleValue(), EXACT);
      for (JsonNode score : expected.get("scores")) {
        Averaging averaging =
            Averaging.valueOf(score.get("average").textValue().toUpperCase(Locale.ROOT));
        for (Quantity quantity : Quantity.values()) {
          FScore metric =
              new FScore(quantity, averaging, 1, score.get("zeroDivision").doubleValue());
          String name = quantity.name().toLowerCase(Locale.ROOT);
          assertThat(metric.score(rows))
              .as(metric + " of " + what)
              .isCloseTo(score.get(name).doubleValue(), EXACT);
        }
      }
    }
  }

  @Test
  void exactMatchIsSquads() {
    for (JsonNode expected : EXPECTED.get("exactMatch")) {
      String hypothesis = expected.get("hypothesis").textValue();
      List<String> references = references(expected, expected.get("references").size());

      assertThat(new ExactMatch(false).sentence(hypothesis, references))
          .as(expected.toString())
          .isEqualTo(expected.get("exact").doubleValue());
      assertThat(new ExactMatch(true).sentence(hypothesis, references))
          .as(expected.toString())
          .isEqualTo(expected.get("squad").doubleValue());
    }
  }

  @Test
  void percentilesAreNumpys() {
    JsonNode expected = EXPECTED.get("percentiles");
    double[] values = doubles(expected.get("values"));
    double[] shares = doubles(expected.get("shares"));
    for (int i = 0; i < shares.length; i++) {
      assertThat(Bootstrap.percentile(values, shares[i]))
          .isCloseTo(expected.get("expected").get(i).doubleValue(), EXACT);
    }
  }

  private static double score(TextMetric metric, int references) {
    List<double[]> rows = new ArrayList<>();
    for (JsonNode pair : EXPECTED.get("pairs")) {
      rows.add(metric.statistics(pair.get("hypothesis").textValue(), references(pair, references)));
    }
    return metric.score(Statistics.of(rows));
  }

  private static void checkSentences(TextMetric metric, int references, JsonNode expected) {
    for (int i = 0; i < expected.size(); i++) {
      JsonNode pair = EXPECTED.get("pairs").get(i);
      assertThat(metric.sentence(pair.get("hypothesis").textValue(), references(pair, references)))
          .as(metric + " of " + pair)
          .isCloseTo(expected.get(i).doubleValue(), EXACT);
    }
  }

  private static List<String> references(JsonNode pair, int count) {
    List<String> references = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      references.add(pair.get("references").get(i).textValue());
    }
    return references;
  }

  private static <T> T find(
      T[] values, java.util.function.Function<T, String> name, JsonNode wanted) {
    return Arrays.stream(values)
        .filter(value -> name.apply(value).equals(wanted.textValue()))
        .findAny()
        .orElseThrow();
  }

  private static int[] integers(JsonNode array) {
    return Arrays.stream(doubles(array)).mapToInt(value -> (int) value).toArray();
  }

  private static double[] doubles(JsonNode array) {
    double[] values = new double[array.size()];
    Arrays.setAll(values, i -> array.get(i).doubleValue());
    return values;
  }
}
