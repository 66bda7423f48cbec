package io.attune.launcher.evaluate;

import io.attune.engine.evaluate.Averaging;
import io.attune.engine.evaluate.Bleu;
import io.attune.engine.evaluate.Chrf;
import io.attune.engine.evaluate.ExactMatch;
import io.attune.engine.evaluate.Rouge;
import io.attune.engine.evaluate.TextMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What tasks can be told.
 *
 * @param averaging of precision, recall and F1; null for binary where there are two labels, else
 *     macro
 * @param positive name or number of the label that binary scores look at; null for label 1
 * @param zeroDivision what a quotient with a denominator of 0 is
 * @param lowercase whether chrF leaves case out of account; BLEU has a setting of its own
 * @param stemmer whether ROUGE compares stems
 * @param normalised whether exact match compares as SQuAD does
 */
public record TaskSettings(
    @Nullable Averaging averaging,
    @Nullable String positive,
    double zeroDivision,
    Bleu bleu,
    boolean lowercase,
    boolean stemmer,
    boolean normalised,
    WritingSettings writing) {

  ClassificationPass.Settings classification() {
    return new ClassificationPass.Settings(averaging, positive, zeroDivision);
  }

  /** The metrics of written texts that tasks ask for. */
  List<TextMetric> metrics(Set<Task> tasks) {
    List<TextMetric> metrics = new ArrayList<>();
    for (Task task : tasks) {
      switch (task) {
        case EXACT_MATCH -> metrics.add(new ExactMatch(normalised));
        case BLEU -> metrics.add(bleu);
        case CHRF -> metrics.add(new Chrf(6, 0, 2, lowercase, false, false));
        case CHRF_PLUS_PLUS -> metrics.add(new Chrf(6, 2, 2, lowercase, false, false));
        case ROUGE -> {
          for (Rouge.Kind kind : Rouge.Kind.values()) {
            metrics.add(new Rouge(kind, stemmer));
          }
        }
        case PERPLEXITY, ACCURACY, F1, MCC, REWARD -> {}
      }
    }
    return metrics;
  }
}
