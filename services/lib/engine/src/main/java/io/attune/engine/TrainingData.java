package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Corpus;
import io.attune.engine.data.Row;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.Rows;
import io.attune.engine.data.SftExample;
import io.attune.engine.data.TokenFile;
import io.attune.engine.data.WeightedRow;
import io.attune.engine.objective.Kto;
import io.attune.engine.objective.WeightedExample;
import io.attune.engine.train.DataSettings;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Reads what a training run learns from. What it leaves out or cuts it says. */
final class TrainingData {
  private final DataSettings settings;
  private final int maxLength;
  private final RowFormat format;
  private final ProgressListener listener;

  TrainingData(TrainingSettings settings, RowFormat format, ProgressListener listener) {
    this.settings = settings.data();
    this.maxLength = settings.maxLength();
    this.format = format;
    this.listener = listener;
  }

  /** Examples of the rows of a file, tokenized, however much each counts. */
  <P, E> List<E> examples(Path file, TrainingTask.Lesson<P, E> lesson) {
    return examples(file, Rows.readWeighted(file, format), lesson).stream()
        .map(WeightedExample::example)
        .toList();
  }

  /** As the other, of rows that were read already, with how much each counts. */
  <P, E> List<WeightedExample<E>> examples(
      Path file, List<WeightedRow> rows, TrainingTask.Lesson<P, E> lesson) {
    List<P> result = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    int empty = 0;
    int undesirable = 0;
    int full = 0;
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i).row();
      List<P> parts = located(file, i + 1, row, lesson.parts());
      result.addAll(parts);
      weights.addAll(Collections.nCopies(parts.size(), rows.get(i).weight()));
      if (parts.isEmpty()) {
        boolean unwanted = row instanceof Row.Judged judged && !judged.desirable();
        if (unwanted && !(lesson.objective() instanceof Kto)) {
          undesirable++;
        } else {
          empty++;
        }
      }
      if (parts.size() == 1
          && parts.get(0) instanceof SftExample text
          && text.inputIds().length == maxLength) {
        full++;
      }
    }
    notice(file, undesirable, "left out %d rows whose answer was judged undesirable");
    notice(
        file,
        empty,
        "left out %d rows of which nothing to learn is within max_length " + maxLength);
    notice(
        file,
        full,
        "%d rows fill max_length "
            + maxLength
            + "; what exceeds it was cut, truncation_mode says where");
    filled(file, result);
    List<E> examples;
    try {
      examples = lesson.examples().apply(result);
    } catch (EngineException e) {
      throw new EngineException(e.reason(), file + ": " + e.getMessage(), e);
    }
    return IntStream.range(0, examples.size())
        .mapToObj(i -> new WeightedExample<>(examples.get(i), weights.get(i)))
        .toList();
  }

  /**
   * Examples of texts, of a file or a folder, without holding them in memory.
   *
   * @param tokens of a row
   * @param store where their tokens are kept until the result is closed
   */
  TokenFile texts(Path data, Function<Row, int[]> tokens, Path store) {
    Corpus corpus =
        new Corpus(settings.layout(), settings.options().truncationMode(), maxLength, store);
    int[] number = new int[1];
    try {
      Rows.forEach(
          data,
          format,
          row -> {
            int[] ids = located(data, ++number[0], row, each -> document(each, tokens));
            corpus.add(ids, ((Row.PlainText) row.row()).ends());
          });
    } catch (RuntimeException e) {
      corpus.finish().close();
      throw e;
    }
    TokenFile file = corpus.finish();
    notice(
        data,
        corpus.truncated(),
        "%d documents are longer than max_length "
            + maxLength
            + "; the rest of them was cut (packing_strategy bfd_split or wrapped keeps it)");
    return filled(data, file);
  }

  /** Documents are laid into blocks, of which none has a weight of its own. */
  private static int[] document(WeightedRow row, Function<Row, int[]> tokens) {
    if (row.weight() != 1) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "continued pre-training knows no 'weight' of a row; write a row twice, or use sft");
    }
    return tokens.apply(row.row());
  }

  private static <R, T> T located(Path file, int row, R value, Function<R, T> read) {
    try {
      return read.apply(value);
    } catch (EngineException e) {
      throw new EngineException(e.reason(), file + ", row " + row + ": " + e.getMessage(), e);
    }
  }

  private <L extends List<?>> L filled(Path file, L examples) {
    if (examples.isEmpty()) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA,
          file + ": no row has anything to learn within max_length " + maxLength);
    }
    return examples;
  }

  private void notice(Path file, int count, String text) {
    if (count > 0) {
      listener.onNotice(file + ": " + String.format(text, count));
    }
  }
}
