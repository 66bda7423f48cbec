package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.token.EncoderTokenizer;
import io.attune.engine.token.TokenizedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Rows to examples of a classifier. A word is labelled at the first of its tokens, as transformers'
 * {@code run_ner.py} does; words that were cut off are not learnt.
 */
public final class ClassificationExamples {
  private final Function<Row.Classified, TokenizedText> reader;
  private final Function<Label, double[]> targets;

  /**
   * @param reader from a row to what the model reads of it
   * @param targets from a label to what {@link LabelledText#targets} holds
   */
  public ClassificationExamples(
      Function<Row.Classified, TokenizedText> reader, Function<Label, double[]> targets) {
    this.reader = reader;
    this.targets = targets;
  }

  /** Of {@code {text, label}} rows. */
  public Optional<LabelledText> text(Row row) {
    if (!(row instanceof Row.Classified classified)) {
      throw Examples.unfit(row, "classification of texts; it needs {text, label}");
    }
    TokenizedText text = reader.apply(classified);
    if (text.length() == 0) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "'text' has no token");
    }
    double[][] target = {targets.apply(classified.label())};
    return Optional.of(new LabelledText(text, new int[0], target));
  }

  /**
   * Of {@code {tokens, labels}} rows; empty where no token has a label.
   *
   * @param tokenizer one that was opened for words
   */
  public Optional<LabelledText> tokens(Row row, EncoderTokenizer tokenizer) {
    if (!(row instanceof Row.Tagged tagged)) {
      throw Examples.unfit(row, "classification of tokens; it needs {tokens, labels}");
    }
    EncoderTokenizer.Words words = tokenizer.encodeWords(tagged.tokens());
    List<Integer> places = new ArrayList<>();
    List<double[]> each = new ArrayList<>();
    int last = -1;
    for (int i = 0; i < words.text().length(); i++) {
      int word = words.wordOf()[i];
      if (word >= 0 && word != last) {
        places.add(i);
        each.add(targets.apply(tagged.labels().get(word)));
      }
      last = word;
    }
    return places.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new LabelledText(
                words.text(),
                places.stream().mapToInt(Integer::intValue).toArray(),
                each.toArray(double[][]::new)));
  }
}
