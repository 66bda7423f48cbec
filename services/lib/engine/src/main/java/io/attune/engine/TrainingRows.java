package io.attune.engine;

import io.attune.engine.data.Row;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.Rows;
import io.attune.engine.data.WeightedRow;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a training run, read when they are first needed, so that a wrong setting is named
 * before a large file is read. Not thread-safe.
 */
final class TrainingRows {
  private final Path file;
  private final RowFormat format;
  private @Nullable List<WeightedRow> weighted;
  private @Nullable List<Row> rows;

  TrainingRows(Path file, RowFormat format) {
    this.file = file;
    this.format = format;
  }

  /** At least one row. */
  List<Row> get() {
    if (rows == null) {
      rows = weighted().stream().map(WeightedRow::row).toList();
    }
    return rows;
  }

  /** The same, with how much each counts. */
  List<WeightedRow> weighted() {
    if (weighted == null) {
      weighted = Rows.readWeighted(file, format);
    }
    return weighted;
  }
}
