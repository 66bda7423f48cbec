package io.attune.engine.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.data.SftExample;
import io.attune.engine.objective.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LikelihoodTest {
  /** The loop of Hugging Face's guide, token by token: who predicts what from how much context. */
  private static List<String> guide(int length, int maxLength, int stride) {
    List<String> targets = new ArrayList<>();
    int previousEnd = 0;
    for (int begin = 0; begin < length; begin += stride) {
      int end = Math.min(begin + maxLength, length);
      int targetLength = end - previousEnd;
      for (int t = end - targetLength; t < end; t++) {
        if (t > begin) { // the shift of labels leaves out a window's first token
          targets.add(t + " from " + begin);
        }
      }
      previousEnd = end;
      if (end == length) {
        break;
      }
    }
    return targets;
  }

  @ParameterizedTest
  @CsvSource({"20,8,4", "20,8,8", "21,8,3", "7,8,4", "8,8,8", "9,8,8", "3,2,1", "1,4,2"})
  void windowsAreThoseOfTheGuide(int length, int window, int stride) {
    int[] ids = IntStream.range(0, length).toArray();
    List<String> targets = new ArrayList<>();
    for (SftExample example : Likelihood.windows(ids, window, stride)) {
      int begin = example.inputIds()[0];
      for (int t = 1; t < example.targets().length; t++) {
        if (example.targets()[t]) {
          targets.add(example.inputIds()[t] + " from " + begin);
        }
      }
    }
    assertThat(targets).isEqualTo(guide(length, window, stride));
  }

  @Test
  void refusesAStrideThatSkipsTokens() {
    assertThatThrownBy(() -> Likelihood.windows(new int[9], 4, 5))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("stride is 1 to the window");
    assertThatThrownBy(() -> Likelihood.windows(new int[9], 1, 1))
        .isInstanceOf(EngineException.class);
  }

  @Test
  void everyTokenCountsTheSame() {
    double[] a = Likelihood.statistics(new Reading(new double[] {-1, -2, -3}, new boolean[3]));
    double[] b = Likelihood.statistics(new Reading(new double[] {-6}, new boolean[] {true}));
    Statistics rows = Statistics.of(List.of(a, b));

    assertThat(Likelihood.LOSS.score(rows)).isEqualTo(3);
    assertThat(Likelihood.PERPLEXITY.score(rows)).isCloseTo(Math.exp(3), within(1e-12));
    assertThat(Likelihood.TOKEN_ACCURACY.score(rows)).isEqualTo(0.25);
  }

  /** Log-softmax in Java over the logits, which are checked against transformers. */
  @ParameterizedTest
  @CsvSource({"base", "lora", "prompt-tuning"})
  void readingAgreesWithTheLogits(String adapterName) {
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
        LoadedAdapter adapter =
            adapterName.equals("base")
                ? null
                : model.loadAdapter(Golden.path("adapters/" + adapterName))) {
      int[] first = {3, 9, 4, 1, 7, 7, 2};
      int[] second = {5, 6, 8};
      boolean[] some = {true, false, true, true, false, true, true};
      boolean[] all = {true, true, true};
      List<Reading> readings =
          model.read(List.of(new SftExample(first, some), new SftExample(second, all)), adapter);
      List<float[]> logits = model.logits(List.of(first, second), adapter, false);

      check(readings.get(0), logits.get(0), first, some);
      check(readings.get(1), logits.get(1), second, all);
    }
  }

  private static void check(Reading reading, float[] logits, int[] ids, boolean[] targets) {
    int vocabulary = logits.length / ids.length;
    int next = 0;
    for (int t = 1; t < ids.length; t++) {
      if (targets[t]) {
        double sum = 0;
        int likeliest = 0;
        for (int v = 0; v < vocabulary; v++) {
          sum += Math.exp(logits[(t - 1) * vocabulary + v]);
          likeliest =
              logits[(t - 1) * vocabulary + v] > logits[(t - 1) * vocabulary + likeliest]
                  ? v
                  : likeliest;
        }
        double expected = logits[(t - 1) * vocabulary + ids[t]] - Math.log(sum);
        assertThat(reading.values()[next]).isCloseTo(expected, within(1e-5));
        assertThat(reading.correct()[next]).isEqualTo(likeliest == ids[t]);
        next++;
      }
    }
    assertThat(reading.values()).hasSize(next);
  }
}
