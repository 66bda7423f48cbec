package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Corpus;
import io.attune.engine.data.Row;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.Rows;
import io.attune.engine.data.SftExample;
import io.attune.engine.data.TokenFile;
import io.attune.engine.objective.Kto;
import io.attune.engine.train.DataSettings;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

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

  /** Examples of the rows of a file, tokenized. */
  <P, E> List<E> examples(Path file, TrainingTask.Lesson<P, E> lesson) {
    return examples(file, Rows.read(file, format), lesson);
  }

  /** As the other, of rows that were read already. */
  <P, E> List<E> examples(Path file, List<Row> rows, TrainingTask.Lesson<P, E> lesson) {
    List<P> result = new ArrayList<>();
    int empty = 0;
    int undesirable = 0;
    int full = 0;
    for (int i = 0; i < rows.size(); i++) {
      List<P> parts = located(file, i + 1, rows.get(i), lesson.parts());
      result.addAll(parts);
      if (parts.isEmpty()) {
        boolean unwanted = rows.get(i) instanceof Row.Judged judged && !judged.desirable();
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
    try {
      return lesson.examples().apply(result);
    } catch (EngineException e) {
      throw new EngineException(e.reason(), file + ": " + e.getMessage(), e);
    }
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
            int[] ids = located(data, ++number[0], row, tokens);
            corpus.add(ids, ((Row.PlainText) row).ends());
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

  private static <T> T located(Path file, int row, Row value, Function<Row, T> read) {
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
