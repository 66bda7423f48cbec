package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.ExampleOptions.TruncationMode;
import io.attune.engine.data.RowFormat.SampleBy;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rows as LLaMA-Factory's users have them, with the tokens and labels that transformers gives them.
 */
class FormsTest {
  private static final int[] NONE = {};

  private final Tokenizer tokenizer = Tokenizer.open(HubLayout.of(Golden.path("models/llama")));
  private JsonNode expected;

  @TempDir Path folder;

  @BeforeEach
  void read() throws IOException {
    expected = Golden.json("forms/expected.json");
  }

  @AfterEach
  void tearDown() {
    tokenizer.close();
  }

  private static Path file(String name) {
    return Golden.path("forms/" + name);
  }

  private Examples examples(ExampleOptions options) {
    return examples(HubLayout.of(Golden.path("models/llama")), options);
  }

  private Examples examples(HubLayout layout, ExampleOptions options) {
    return new Examples(tokenizer, ChatTemplate.open(layout), Set.of(2), 8192, options);
  }

  private static ExampleOptions learning(boolean completion, boolean assistant, boolean lastTurn) {
    return new ExampleOptions(completion, assistant, lastTurn, TruncationMode.KEEP_START);
  }

  private static void assertMasked(SftExample example, JsonNode reference) {
    assertThat(example.inputIds()).containsExactly(Golden.ints(reference.get("input_ids")));
    int[] labels = Golden.ints(reference.get("labels"));
    int[] own = new int[labels.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = example.targets()[i] ? example.inputIds()[i] : -100;
    }
    assertThat(own).containsExactly(labels);
  }

  @ParameterizedTest
  @ValueSource(strings = {"alpaca_en_demo.json", "alpaca_zh_demo.json", "kto_en_demo.json"})
  void learnsTheAnswersOfInstructionsAndOfThumbsUp(String name) {
    List<Row> rows = Rows.read(file(name));
    assertThat(rows).hasSize(3);
    for (int i = 0; i < rows.size(); i++) {
      Optional<SftExample> example = examples(ExampleOptions.DEFAULT).sft(rows.get(i));
      if (expected.get(name).get(i).path("label").asBoolean(true)) {
        assertMasked(example.orElseThrow(), expected.get(name).get(i));
      } else {
        assertThat(example).isEmpty();
        assertThat(examples(ExampleOptions.DEFAULT).judged(rows.get(i)).get(0).desirable())
            .isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dpo_en_demo.json", "dpo_zh_demo.json"})
  void readsPairsInShareGptForm(String name) {
    List<Row> rows = Rows.read(file(name));
    assertThat(rows).hasSizeGreaterThan(1);
    for (int i = 0; i < rows.size(); i++) {
      PreferencePair pair = examples(ExampleOptions.DEFAULT).preference(rows.get(i)).orElseThrow();
      JsonNode reference = expected.get(name).get(i);
      assertThat(pair.promptIds()).containsExactly(Golden.ints(reference.get("prompt_ids")));
      assertThat(pair.chosenIds()).containsExactly(Golden.ints(reference.get("chosen_ids")));
      assertThat(pair.rejectedIds()).containsExactly(Golden.ints(reference.get("rejected_ids")));
    }
  }

  /** The rows of kto_en_demo.json as conversations. */
  private List<Row> conversations() throws IOException {
    List<Row> rows = new ArrayList<>();
    for (JsonNode row : Golden.json("forms/kto_en_demo.json")) {
      rows.add(Rows.parse("{\"messages\": " + row.get("messages") + "}", "test"));
    }
    return rows;
  }

  /** The same model with a template that marks what the assistant says. */
  private HubLayout marked() throws IOException {
    Path model = Golden.path("models/llama");
    for (String name : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(model.resolve(name), folder.resolve(name));
    }
    String template = expected.get("marked_template").asText();
    Files.writeString(folder.resolve("chat_template.jinja"), template);
    return HubLayout.of(folder);
  }

  @Test
  void masksTurnsByRenderingAndByTheTemplatesMarksAlike() throws IOException {
    List<Row> rows = conversations();
    HubLayout marked = marked();
    for (HubLayout layout : List.of(HubLayout.of(Golden.path("models/llama")), marked)) {
      for (int i = 0; i < rows.size(); i++) {
        assertMasked(
            examples(layout, ExampleOptions.DEFAULT).sft(rows.get(i)).orElseThrow(),
            expected.get("turns").get(i));
        assertMasked(
            examples(layout, learning(true, true, true)).sft(rows.get(i)).orElseThrow(),
            expected.get("last_turn").get(i));
        SftExample whole =
            examples(layout, learning(true, false, false)).sft(rows.get(i)).orElseThrow();
        assertThat(whole.inputIds())
            .containsExactly(Golden.ints(expected.get("turns").get(i).get("input_ids")));
        assertThat(whole.targets()).containsOnly(true);
      }
    }
  }

  @Test
  void marksCountCharactersAndNotUtf16Units() throws IOException {
    Row row =
        Rows.parse(
            """
            {"messages": [{"role": "user", "content": "\\ud83d\\ude00\\ud83d\\ude00"},
             {"role": "assistant", "content": "\\u7ec6\\ud83d\\ude00!"}]}""",
            "test");
    SftExample example = examples(marked(), ExampleOptions.DEFAULT).sft(row).orElseThrow();
    int[] learned = new int[0];
    for (int i = 0; i < example.targets().length; i++) {
      if (example.targets()[i]) {
        learned = Continuation.concatenate(learned, new int[] {example.inputIds()[i]});
      }
    }
    assertThat(tokenizer.decode(learned, false)).isEqualTo("\u7ec6\ud83d\ude00!</s>\n");
  }

  @Test
  void learnsThePromptTooWhereAsked() {
    Row row = Rows.read(file("alpaca_en_demo.json")).get(0);
    SftExample whole = examples(learning(false, true, false)).sft(row).orElseThrow();
    assertThat(whole.targets()).containsOnly(true);
  }

  @Test
  void refusesToTellTurnsApartWhereTheTemplateRewritesEarlierOnes() throws IOException {
    HubLayout layout = marked();
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m.role }}{% if loop.last %}!{% endif %}: {{ m.content }}\n"
            + "{% endfor %}{% if add_generation_prompt %}assistant!: {% endif %}");
    Row row = conversations().get(2);
    assertThatThrownBy(() -> examples(layout, ExampleOptions.DEFAULT).sft(row))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("mask_history");
  }

  @Test
  void toolsAreWrittenWhereTheTemplateHasAPlaceForThem() throws IOException {
    String row =
        """
        {"conversations": [{"from": "human", "value": "Rain?"},
          {"from": "function_call", "value": "{\\"name\\": \\"rain\\", \\"arguments\\": {\\"at\\": \\"Rome\\"}}"},
          {"from": "observation", "value": "no"}, {"from": "gpt", "value": "No rain."}],
         "system": "Be brief.", "tools": "[{\\"name\\": \\"rain\\"}]"}""";
    Row.Conversation read = (Row.Conversation) Rows.parse(row, "test");
    assertThat(read.messages().stream().map(m -> m.role()))
        .containsExactly("system", "user", "assistant", "tool", "assistant");
    assertThatThrownBy(() -> examples(ExampleOptions.DEFAULT).sft(read))
        .hasMessageContaining("no place for 'tools'");
    assertThatThrownBy(() -> examples(ExampleOptions.DEFAULT).prompt(read))
        .hasMessageContaining("no place for 'tools'");

    HubLayout layout = marked();
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% if tools %}{{ tools | tojson }}\n{% endif %}{% for m in messages %}<s>{{ m.role }}\n"
            + "{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}"
            + "{{ m.content }}</s>\n{% endfor %}"
            + "{% if add_generation_prompt %}<s>assistant\n{% endif %}");
    SftExample example = examples(layout, ExampleOptions.DEFAULT).sft(read).orElseThrow();
    assertThat(tokenizer.decode(example.inputIds(), false))
        .isEqualTo(
            "[{\"name\": \"rain\"}]\n<s>system\nBe brief.</s>\n<s>user\nRain?</s>\n"
                + "<s>assistant\n{\"name\": \"rain\", \"arguments\": {\"at\": \"Rome\"}}</s>\n"
                + "<s>tool\nno</s>\n<s>assistant\nNo rain.</s>\n");
    int[] prompt = examples(layout, ExampleOptions.DEFAULT).prompt(read);
    assertThat(example.inputIds()).startsWith(prompt);
    assertThat(tokenizer.decode(prompt, false))
        .startsWith("[{\"name\": \"rain\"}]\n")
        .endsWith("<s>tool\nno</s>\n<s>assistant\n");
    assertThat(Examples.answer(read)).isEqualTo("No rain.");
  }

  @Test
  void rowsOfOtherKeysAreReadByColumns() throws IOException {
    Path file = folder.resolve("rows.jsonl");
    Files.writeString(file, "{\"id\": 7, \"q\": \"Add.\", \"extra\": \"1 2\", \"a\": \"3\"}\n");
    Row read = new Row.Instruction("Add.", "1 2", "3");

    Map<String, String> own = Map.of("instruction", "q", "input", "extra", "output", "a");
    assertThat(Rows.read(file, new RowFormat(own, null, SampleBy.LINE))).containsExactly(read);
    Map<String, String> theirs =
        RowFormat.columns("{\"prompt\": \"q\", \"query\": \"extra\", \"response\": \"a\"}");
    assertThat(Rows.read(file, new RowFormat(theirs, null, SampleBy.LINE))).containsExactly(read);

    Map<String, String> wrong = Map.of("instruction", "question", "output", "a");
    assertThatThrownBy(() -> Rows.read(file, new RowFormat(wrong, null, SampleBy.LINE)))
        .hasMessageContaining("rows.jsonl line 1")
        .hasMessageContaining("'question'");
    assertThatThrownBy(() -> new RowFormat(Map.of("answer", "a"), null, SampleBy.LINE))
        .hasMessageContaining("'answer'");
    assertThatThrownBy(() -> RowFormat.columns("[\"a\"]")).hasMessageContaining("'columns'");
  }

  @Test
  void aTemplateOfOnesOwnWritesThePrompt() {
    var template =
        io.attune.engine.template.Template.parse(
            "Q: {{ question }}{% if hint %} ({{ hint }}){% endif %}; A: ");
    RowFormat format = new RowFormat(Map.of(), template, SampleBy.LINE);
    JsonNode row =
        io.attune.engine.checkpoint.JsonFiles.parse(
            "{\"question\": \"2+2?\", \"hint\": \"small\", \"output\": \"4\"}", "test");
    assertThat(format.parse(row, "test").row())
        .isEqualTo(
            new Row.Completion(new Content.Text("Q: 2+2? (small); A: "), new Content.Text("4")));
  }

  @Test
  void instructionsMayHaveASystemAndAHistory() {
    Row row =
        Rows.parse(
            """
            {"instruction": "And 3+3?", "input": "", "output": "6", "system": "Count.",
             "history": [["2+2?", "4"]]}""",
            "test");
    SftExample example = examples(ExampleOptions.DEFAULT).sft(row).orElseThrow();
    assertThat(tokenizer.decode(example.inputIds(), false))
        .isEqualTo(
            "<s>system\nCount.</s>\n<s>user\n2+2?</s>\n<s>assistant\n4</s>\n<s>user\nAnd 3+3?</s>\n"
                + "<s>assistant\n6</s>\n");
    Examples plain = new Examples(tokenizer, Optional.empty(), Set.of(2), 100);
    assertThatThrownBy(() -> plain.sft(row)).hasMessageContaining("chat template");
    assertThatThrownBy(() -> plain.prompt(row)).hasMessageContaining("chat template");
    assertThat(example.inputIds()).startsWith(examples(ExampleOptions.DEFAULT).prompt(row));
  }

  @Test
  void preferencesMayShareTheirPromptWithoutNamingIt() {
    String user = "{\"role\": \"user\", \"content\": \"a\"}";
    Row row =
        Rows.parse(
            "{\"chosen\": [%s, {\"role\": \"assistant\", \"content\": \"b\"}], \"rejected\": [%s, {\"role\": \"assistant\", \"content\": \"c\"}]}"
                .formatted(user, user),
            "test");
    assertThat(((Content.Messages) ((Row.Preference) row).prompt()).messages()).hasSize(1);
    assertThatThrownBy(
            () -> Rows.parse("{\"chosen\": [%s], \"rejected\": [%s]}".formatted(user, user), "x"))
        .hasMessageContaining("'chosen'");
  }

  @Test
  void theEndIsKeptWhereAsked() {
    ExampleOptions keepEnd = new ExampleOptions(true, true, false, TruncationMode.KEEP_END);
    Examples small = new Examples(tokenizer, Optional.empty(), Set.of(2), 10, keepEnd);
    Content prompt = new Content.Text("The parcel left our warehouse.");
    Content answer = new Content.Text("No.");
    Examples.Pair whole = small.pair(prompt, answer);
    int answered = whole.completion().length;

    SftExample example = small.sft(new Row.Completion(prompt, answer)).orElseThrow();
    int[] all = Continuation.concatenate(whole.prompt(), whole.completion());
    assertThat(example.inputIds())
        .containsExactly(Arrays.copyOfRange(all, all.length - 10, all.length));
    assertThat(example.targets()[9 - answered]).isFalse();
    assertThat(example.targets()[10 - answered]).isTrue();

    PreferencePair pair =
        small.preference(new Row.Preference(prompt, answer, new Content.Text("N"))).orElseThrow();
    assertThat(pair.promptIds()).hasSize(10 - answered);
    assertThat(pair.chosenIds()).containsExactly(whole.completion());
  }

  private TokenFile corpus(Path data, SampleBy sampleBy, Corpus.Layout layout, int maxLength) {
    return corpus(data, sampleBy, layout, maxLength, TruncationMode.KEEP_START);
  }

  private TokenFile corpus(
      Path data, SampleBy sampleBy, Corpus.Layout layout, int length, TruncationMode truncation) {
    Corpus corpus = new Corpus(layout, truncation, length, folder.resolve("tokens"));
    Examples examples = examples(ExampleOptions.DEFAULT);
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
        corpus(file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.WRAPPED, 64)) {
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
        corpus(file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 50)) {
      assertThat(rows).hasSize(2);
      for (int i = 0; i < 2; i++) {
        assertThat(rows.get(i).inputIds())
            .containsExactly(Arrays.copyOf(Golden.ints(documents.get(i)), 50));
      }
    }
    TruncationMode end = TruncationMode.KEEP_END;
    try (TokenFile rows =
        corpus(file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 50, end)) {
      int[] last = Golden.ints(documents.get(1));
      assertThat(rows.get(1).inputIds())
          .containsExactly(Arrays.copyOfRange(last, last.length - 50, last.length));
    }
    try (TokenFile rows =
        corpus(file("c4_demo.jsonl"), SampleBy.DOCUMENT, Corpus.Layout.SPLIT, 50)) {
      int first = (Golden.ints(documents.get(0)).length + 49) / 50;
      assertThat(rows.get(first).inputIds())
          .startsWith(Arrays.copyOf(Golden.ints(documents.get(1)), 50));
    }
  }

  @Test
  void aFileOfTextIsOneDocumentOrOneALine() {
    try (TokenFile rows =
        corpus(file("wiki_demo.txt"), SampleBy.DOCUMENT, Corpus.Layout.TRUNCATED, 4096)) {
      assertThat(rows).hasSize(1);
      assertThat(all(rows)).containsExactly(documents("wiki_demo.txt", "documents"));
    }
    try (TokenFile rows =
        corpus(file("wiki_demo.txt"), SampleBy.LINE, Corpus.Layout.TRUNCATED, 4096)) {
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
    Examples examples = examples(ExampleOptions.DEFAULT);
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
