package io.attune.engine.data;

import io.attune.engine.data.RowFormat.SampleBy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.function.Consumer;

/**
 * A file of text to rows. A whole file comes as several rows that go on from each other, so that
 * none has to fit into memory.
 */
final class TextParser {
  /** Characters of a row of a whole file, about. */
  static final int PIECE = 1 << 18;

  private final SampleBy sampleBy;
  private final Consumer<Row> rows;

  TextParser(SampleBy sampleBy, Consumer<Row> rows) {
    this.sampleBy = sampleBy;
    this.rows = rows;
  }

  void read(BufferedReader reader) throws IOException {
    if (sampleBy == SampleBy.DOCUMENT) {
      document(reader);
    } else {
      lines(reader);
    }
  }

  private void lines(BufferedReader reader) throws IOException {
    StringBuilder paragraph = new StringBuilder();
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (line.isBlank()) {
        whole(paragraph);
        continue;
      }
      paragraph.append(paragraph.isEmpty() ? "" : "\n").append(line);
      if (sampleBy == SampleBy.LINE) {
        whole(paragraph);
      }
    }
    whole(paragraph);
  }

  private void whole(StringBuilder text) {
    if (!text.isEmpty()) {
      rows.accept(new Row.PlainText(text.toString()));
      text.setLength(0);
    }
  }

  private void document(Reader reader) throws IOException {
    StringBuilder text = new StringBuilder();
    char[] block = new char[1 << 14];
    boolean begins = true;
    for (int n = reader.read(block); n >= 0; n = reader.read(block)) {
      text.append(block, 0, n);
      if (text.length() > PIECE) {
        int cut = cut(text);
        rows.accept(new Row.PlainText(lineFeeds(text.substring(0, cut)), begins, false));
        text.delete(0, cut);
        begins = false;
      }
    }
    String last = lineFeeds(text.toString()).stripTrailing();
    if (!begins || !last.isEmpty()) {
      rows.accept(new Row.PlainText(last, begins, true));
    }
  }

  /**
   * Where the next piece begins: with a word, at best that of a new line, because how blanks are
   * tokenized depends on what follows them.
   */
  private static int cut(CharSequence text) {
    int word = 0;
    for (int i = text.length() - 1; i > text.length() / 2; i--) {
      char before = text.charAt(i - 1);
      if (Character.isWhitespace(text.charAt(i)) || !Character.isWhitespace(before)) {
        continue;
      }
      if (before == '\n') {
        return i;
      }
      word = Math.max(word, i);
    }
    int end = text.length();
    char last = text.charAt(end - 1);
    return word > 0 ? word : Character.isHighSurrogate(last) || last == '\r' ? end - 1 : end;
  }

  private static String lineFeeds(String text) {
    return text.replace("\r\n", "\n");
  }
}
