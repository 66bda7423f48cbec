package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.ExampleOptions.TruncationMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
    List<Row> rows = Rows.read(FormFiles.file(name));
    assertThat(rows).hasSize(3);
    for (int i = 0; i < rows.size(); i++) {
      Optional<SftExample> example = forms.examples(ExampleOptions.DEFAULT).sft(rows.get(i));
      if (expected.get(name).get(i).path("label").asBoolean(true)) {
        assertMasked(example.orElseThrow(), expected.get(name).get(i));
      } else {
        assertThat(example).isEmpty();
        assertThat(forms.examples(ExampleOptions.DEFAULT).judged(rows.get(i)).get(0).desirable())
            .isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dpo_en_demo.json", "dpo_zh_demo.json"})
  void readsPairsInShareGptForm(String name) {
    List<Row> rows = Rows.read(FormFiles.file(name));
    assertThat(rows).hasSizeGreaterThan(1);
    for (int i = 0; i < rows.size(); i++) {
      PreferencePair pair =
          forms.examples(ExampleOptions.DEFAULT).preference(rows.get(i)).orElseThrow();
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
    for (HubLayout layout : List.of(FormFiles.MODEL, marked)) {
      for (int i = 0; i < rows.size(); i++) {
        assertMasked(
            forms.examples(layout, ExampleOptions.DEFAULT).sft(rows.get(i)).orElseThrow(),
            expected.get("turns").get(i));
        assertMasked(
            forms.examples(layout, learning(true, true, true)).sft(rows.get(i)).orElseThrow(),
            expected.get("last_turn").get(i));
        SftExample whole =
            forms.examples(layout, learning(true, false, false)).sft(rows.get(i)).orElseThrow();
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
    SftExample example = forms.examples(marked(), ExampleOptions.DEFAULT).sft(row).orElseThrow();
    int[] learned = new int[0];
    for (int i = 0; i < example.targets().length; i++) {
      if (example.targets()[i]) {
        learned = Continuation.concatenate(learned, new int[] {example.inputIds()[i]});
      }
    }
    assertThat(forms.tokenizer().decode(learned, false)).isEqualTo("\u7ec6\ud83d\ude00!</s>\n");
  }

  @Test
  void learnsThePromptTooWhereAsked() {
    Row row = Rows.read(FormFiles.file("alpaca_en_demo.json")).get(0);
    SftExample whole = forms.examples(learning(false, true, false)).sft(row).orElseThrow();
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
    assertThatThrownBy(() -> forms.examples(layout, ExampleOptions.DEFAULT).sft(row))
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
    assertThatThrownBy(() -> forms.examples(ExampleOptions.DEFAULT).sft(read))
        .hasMessageContaining("no place for 'tools'");
    assertThatThrownBy(() -> forms.examples(ExampleOptions.DEFAULT).prompt(read))
        .hasMessageContaining("no place for 'tools'");

    HubLayout layout = marked();
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% if tools %}{{ tools | tojson }}\n{% endif %}{% for m in messages %}<s>{{ m.role }}\n"
            + "{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}"
            + "{{ m.content }}</s>\n{% endfor %}"
            + "{% if add_generation_prompt %}<s>assistant\n{% endif %}");
    SftExample example = forms.examples(layout, ExampleOptions.DEFAULT).sft(read).orElseThrow();
    assertThat(forms.tokenizer().decode(example.inputIds(), false))
        .isEqualTo(
            "[{\"name\": \"rain\"}]\n<s>system\nBe brief.</s>\n<s>user\nRain?</s>\n"
                + "<s>assistant\n{\"name\": \"rain\", \"arguments\": {\"at\": \"Rome\"}}</s>\n"
                + "<s>tool\nno</s>\n<s>assistant\nNo rain.</s>\n");
    int[] prompt = forms.examples(layout, ExampleOptions.DEFAULT).prompt(read);
    assertThat(example.inputIds()).startsWith(prompt);
    assertThat(forms.tokenizer().decode(prompt, false))
        .startsWith("[{\"name\": \"rain\"}]\n")
        .endsWith("<s>tool\nno</s>\n<s>assistant\n");
    assertThat(Examples.answer(read)).isEqualTo("No rain.");
  }

  @Test
  void instructionsMayHaveASystemAndAHistory() {
    Row row =
        Rows.parse(
            """
            {"instruction": "And 3+3?", "input": "", "output": "6", "system": "Count.",
             "history": [["2+2?", "4"]]}""",
            "test");
    SftExample example = forms.examples(ExampleOptions.DEFAULT).sft(row).orElseThrow();
    assertThat(forms.tokenizer().decode(example.inputIds(), false))
        .isEqualTo(
            "<s>system\nCount.</s>\n<s>user\n2+2?</s>\n<s>assistant\n4</s>\n<s>user\nAnd 3+3?</s>\n"
                + "<s>assistant\n6</s>\n");
    Examples plain = new Examples(forms.tokenizer(), Optional.empty(), Set.of(2), 100);
    assertThatThrownBy(() -> plain.sft(row)).hasMessageContaining("chat template");
    assertThatThrownBy(() -> plain.prompt(row)).hasMessageContaining("chat template");
    assertThat(example.inputIds()).startsWith(forms.examples(ExampleOptions.DEFAULT).prompt(row));
  }

  @Test
  void theEndIsKeptWhereAsked() {
    ExampleOptions keepEnd = new ExampleOptions(true, true, false, TruncationMode.KEEP_END);
    Examples small = new Examples(forms.tokenizer(), Optional.empty(), Set.of(2), 10, keepEnd);
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
}
