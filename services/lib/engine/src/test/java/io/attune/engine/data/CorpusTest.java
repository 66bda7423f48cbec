package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.data.ExampleOptions.TruncationMode;
import io.attune.engine.data.RowFormat.SampleBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts and folders of texts, for continued pre-training. */
class CorpusTest {
  private static final int[] NONE = {};

  private final FormFiles forms = new FormFiles();
  private JsonNode expected;

  @TempDir Path folder;

  @BeforeEach
  void read() throws IOException {
    expected = FormFiles.expected();
  }

  @AfterEach
  void tearDown() {
    forms.close();
  }

  private TokenFile corpus(Path data, SampleBy sampleBy, Corpus.Layout layout, int maxLength) {
    return corpus(data, sampleBy, layout, maxLength, TruncationMode.KEEP_START);
  }

  private TokenFile corpus(
      Path data, SampleBy sampleBy, Corpus.Layout layout, int length, TruncationMode truncation) {
    Corpus corpus = new Corpus(layout, truncation, length, folder.resolve("tokens"));
    Examples examples = forms.examples(ExampleOptions.DEFAULT);
    Rows.forEach(
        data,
        new RowFormat(Map.of(), null, sampleBy),
        row -> corpus.add(examples.text(row.row()), ((Row.PlainText) row.row()).ends()));
    return corpus.finish();
  }

  private static int[] all(List<SftExample> examples) {
    return examples.stream().map(SftExample::inputIds).reduce(NONE, Continuation::concatenate);
  }

  private int[] documents(String name, String of) {
    int[] ids = NONE;
    for (JsonNode document : expected.get(name).get(of)) {
      ids = Continuation.concatenate(ids, Golden.ints(document));
    }
    return ids;
  }

  @Test
  void textsAreLaidEndToEndAndCutIntoBlocks() {
    try (TokenFile blocks =
        corpus(FormFiles.file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.WRAPPED, 64)) {
      int[] ids = documents("c4_demo.jsonl", "documents");
      assertThat(all(blocks)).containsExactly(ids);
      assertThat(blocks).hasSize((ids.length + 63) / 64);
      assertThat(blocks.subList(0, blocks.size() - 1))
          .allSatisfy(block -> assertThat(block.inputIds()).hasSize(64));
      assertThat(blocks.get(0).targets()).containsOnly(true);
    }
    assertThat(folder.resolve("tokens")).doesNotExist();
  }

  @Test
  void documentsOfTheirOwnAreCutOrSplit() {
    JsonNode documents = expected.get("c4_demo.jsonl").get("documents");
    try (TokenFile rows =
        corpus(FormFiles.file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 50)) {
      assertThat(rows).hasSize(2);
      for (int i = 0; i < 2; i++) {
        assertThat(rows.get(i).inputIds())
            .containsExactly(Arrays.copyOf(Golden.ints(documents.get(i)), 50));
      }
    }
    TruncationMode end = TruncationMode.KEEP_END;
    try (TokenFile rows =
        corpus(
            FormFiles.file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 50, end)) {
      int[] last = Golden.ints(documents.get(1));
      assertThat(rows.get(1).inputIds())
          .containsExactly(Arrays.copyOfRange(last, last.length - 50, last.length));
    }
    try (TokenFile rows =
        corpus(FormFiles.file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.SPLIT, 50)) {
      int first = (Golden.ints(documents.get(0)).length + 49) / 50;
      assertThat(rows.get(first).inputIds())
          .startsWith(Arrays.copyOf(Golden.ints(documents.get(1)), 50));
    }
  }

  @Test
  void aFileOfTextIsOneDocumentOrOneALine() {
    try (TokenFile rows =
        corpus(FormFiles.file("wiki_demo.txt"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 4096)) {
      assertThat(rows).hasSize(1);
      assertThat(all(rows)).containsExactly(documents("wiki_demo.txt", "documents"));
    }
    try (TokenFile rows =
        corpus(FormFiles.file("wiki_demo.txt"), SampleBy.LINE, Corpus.Layout.TRUNCATED, 4096)) {
      assertThat(rows).hasSize(2);
      assertThat(all(rows)).containsExactly(documents("wiki_demo.txt", "lines"));
    }
  }

  @Test
  void aLongFileComesInPiecesThatGoOn() throws IOException {
    String line = "The parcel left our warehouse.\n\n  It is late.\n";
    String text = line.repeat(3 * TextParser.PIECE / line.length());
    Path file = Files.writeString(folder.resolve("long.txt"), text);
    List<Row> rows = Rows.read(file);
    assertThat(rows).hasSizeBetween(3, 4);
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      Row.PlainText piece = (Row.PlainText) rows.get(i);
      assertThat(piece.begins()).isEqualTo(i == 0);
      assertThat(piece.ends()).isEqualTo(i == rows.size() - 1);
      assertThat(Character.isWhitespace(piece.text().charAt(0))).isFalse();
      joined.append(piece.text());
    }
    assertThat(joined.toString()).isEqualTo(text.stripTrailing());
    // Blanks are never parted, so the tokens are those of the whole.
    Examples examples = forms.examples(ExampleOptions.DEFAULT);
    int[] ids = rows.stream().map(examples::text).reduce(NONE, Continuation::concatenate);
    assertThat(ids).containsExactly(examples.text(new Row.PlainText(joined.toString())));
  }

  @Test
  void aFolderIsReadFileByFile() throws IOException {
    Path texts = Files.createDirectories(folder.resolve("texts/b"));
    Files.writeString(texts.resolve("2.txt"), "two\r\n2\r\n\r\n");
    Files.writeString(texts.resolveSibling("a.md"), "\ufeffone");
    Files.writeString(texts.resolveSibling("c.jsonl"), "{\"text\": \"three\"}\n");
    Files.writeString(texts.resolveSibling(".hidden"), "no");
    assertThat(Rows.read(folder.resolve("texts")))
        .containsExactly(
            new Row.PlainText("one"), new Row.PlainText("two\n2"), new Row.PlainText("three"));

    Files.writeString(texts.resolve("3.pdf"), "no");
    assertThatThrownBy(() -> Rows.read(folder.resolve("texts"))).hasMessageContaining("3.pdf");
  }

  @Test
  void paragraphsStandBetweenEmptyLines() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "\na\nb\n\n \nc\n");
    assertThat(Rows.read(file, new RowFormat(Map.of(), null, SampleBy.PARAGRAPH)))
        .containsExactly(new Row.PlainText("a\nb"), new Row.PlainText("c"));
  }
}
