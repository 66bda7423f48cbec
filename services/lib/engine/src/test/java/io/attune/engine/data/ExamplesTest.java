package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExamplesTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private final HubLayout layout = HubLayout.of(GOLDEN.resolve("models/llama"));
  private final Tokenizer tokenizer = Tokenizer.open(layout);
  private final Examples examples =
      new Examples(tokenizer, ChatTemplate.open(layout), Set.of(2), 1024);

  @TempDir Path folder;

  @AfterEach
  void tearDown() {
    tokenizer.close();
  }

  private static JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(GOLDEN.resolve(file).toFile());
  }

  private static int[] ids(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  private static Content text(JsonNode row, String key) {
    return new Content.Text(row.get(key).asText());
  }

  private SftExample sft(String json) {
    return examples.sft(Rows.parse(json, "test")).orElseThrow();
  }

  private String learned(SftExample example) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < example.inputIds().length; i++) {
      if (example.targets()[i]) {
        text.append(tokenizer.decode(new int[] {example.inputIds()[i]}, false));
      }
    }
    return text.toString();
  }

  @Test
  void supervisedExamplesAreTheReferenceTrainers() throws Exception {
    JsonNode rows = json("preferences.json");
    JsonNode expected = json("runs/sft-lora/tokens.json");
    for (int i = 0; i < expected.size(); i++) {
      Content prompt = new Content.Text(rows.get(i).get("prompt").asText() + "\n");
      SftExample example =
          examples.sft(new Row.Completion(prompt, text(rows.get(i), "chosen"))).orElseThrow();

      assertThat(example.inputIds()).containsExactly(ids(expected.get(i).get("input_ids")));
      int[] labels = ids(expected.get(i).get("labels"));
      for (int t = 0; t < labels.length; t++) {
        assertThat(example.targets()[t]).isEqualTo(labels[t] != -100);
      }
    }
  }

  @Test
  void preferencePairsAreTheReferenceTrainers() throws Exception {
    JsonNode rows = json("preferences.json");
    JsonNode expected = json("runs/dpo-sigmoid/tokens.json");
    for (int i = 0; i < expected.size(); i++) {
      Content prompt = new Content.Text(rows.get(i).get("prompt").asText() + "\n");
      PreferencePair pair =
          examples
              .preference(
                  new Row.Preference(
                      prompt, text(rows.get(i), "chosen"), text(rows.get(i), "rejected")))
              .orElseThrow();

      assertThat(pair.promptIds()).containsExactly(ids(expected.get(i).get("prompt_ids")));
      assertThat(pair.chosenIds()).containsExactly(ids(expected.get(i).get("chosen_ids")));
      assertThat(pair.rejectedIds()).containsExactly(ids(expected.get(i).get("rejected_ids")));
    }
  }

  @Test
  void learnsWhatTheAssistantSaysAndTheTokenThatEndsIt() {
    SftExample example =
        sft(
            """
            {"messages": [{"role": "system", "content": "Be brief."},
             {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."},
             {"role": "user", "content": "Here."}, {"role": "assistant", "content": "Yes."}]}""");

    assertThat(learned(example)).isEqualTo("Here.</s>\nYes.</s>\n");
    assertThat(tokenizer.decode(example.inputIds(), false))
        .isEqualTo(
            "<s>system\nBe brief.</s>\n<s>user\nWhere?</s>\n<s>assistant\nHere.</s>\n"
                + "<s>user\nHere.</s>\n<s>assistant\nYes.</s>\n");
  }

  @Test
  void aRowSaysHowMuchItCountsAndAPairByHowMuchItDiffers() throws Exception {
    Path file = folder.resolve("rows.jsonl");
    Files.writeString(
        file,
        """
        {"prompt": "a", "completion": "b", "weight": 0.5}
        {"prompt": "a", "completion": "b"}
        {"prompt": "a", "chosen": "b", "rejected": "c", "margin": 1.5, "weight": 2}
        {"prompt": "a", "chosen": "b", "rejected": "c"}
        """);

    List<WeightedRow> rows = Rows.readWeighted(file, RowFormat.DEFAULT);

    assertThat(rows).extracting(WeightedRow::weight).containsExactly(0.5, 1.0, 2.0, 1.0);
    assertThat(rows.get(0).row()).isEqualTo(rows.get(1).row());
    assertThat(examples.preference(rows.get(2).row()).orElseThrow().margin()).isEqualTo(1.5);
    assertThat(examples.preference(rows.get(3).row()).orElseThrow().margin()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'text': 'No.'} | No.</s>",
        "{'text': 'No.</s>'} | No.</s>",
        "{'prompt': 'Where? ', 'completion': 'Here.'} | Here.</s>",
        "{'prompt': [{'role': 'user', 'content': 'a'}], 'completion': [{'role': 'assistant', 'content': 'b'}]} | b</s>\\n",
        "{'instruction': 'Add.', 'input': '1 2', 'output': '3'} | 3</s>\\n",
        "{'instruction': 'Add.', 'output': '3'} | 3</s>\\n",
        "{'conversations': [{'from': 'human', 'value': 'a'}, {'from': 'gpt', 'value': 'b'}]} | b</s>\\n",
      })
  void learnsTheCompletionOfEachShape(String row, String expected) {
    assertThat(learned(sft(row.replace('\'', '"')))).isEqualTo(expected.replace("\\n", "\n"));
  }

  @Test
  void writesAlpacaPromptWithoutTemplate() {
    Examples plain = new Examples(tokenizer, Optional.empty(), Set.of(2), 1024);
    Row row = Rows.parse("{\"instruction\":\"Add.\",\"input\":\"1 2\",\"output\":\"3\"}", "test");

    SftExample example = plain.sft(row).orElseThrow();

    assertThat(tokenizer.decode(example.inputIds(), true))
        .endsWith("### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n3");
    assertThat(learned(example)).isEqualTo("3</s>");
  }

  @Test
  void keepsTheStartAndDropsRowsWithNothingToLearn() {
    Examples small = new Examples(tokenizer, Optional.empty(), Set.of(2), 10);
    String prompt = "The parcel left our warehouse.";

    assertThat(small.sft(new Row.Completion(new Content.Text(prompt), new Content.Text("No."))))
        .isEmpty();
    assertThat(
            small
                .sft(new Row.Completion(new Content.Text("No."), new Content.Text(prompt)))
                .orElseThrow()
                .inputIds())
        .hasSize(10);
    assertThat(
            small
                .scored(new Row.Scored(new Content.Text("No."), new Content.Text(prompt), 0.5))
                .orElseThrow()
                .completionIds())
        .hasSize(8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'txt': 'a'} | unknown key 'txt'",
        "{'prompt': 'a', 'completion': 'b', 'weight': 0} | 0.0 as 'weight'",
        "{'prompt': 'a', 'completion': 'b', 'weight': 'x'} | \"x\" as 'weight'",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': 'c', 'margin': null} | null as 'margin'",
        "{'prompt': 'a', 'completion': 'b', 'chosen': 'c'} | no known row",
        "{'text': 1} | a number as 'text'",
        "{'text': null} | null as 'text'",
        "{'text': 'a', 'text': 'b'} | Duplicate",
        "{'text': 'a' | not valid JSON",
        "7 | not a JSON object",
        "{'messages': []} | 'messages'",
        "{'messages': [{'role': 'user'}]} | 'messages'",
        "{'messages': [{'role': 'user', 'content': 'a', 'nam': 'b'}]} | 'nam'",
        "{'conversations': [{'from': 'dog', 'value': 'a'}]} | 'dog'",
        "{'messages': [{'role': 'user', 'content': 'a'}], 'label': true} | 'label'",
        "{'conversations': [{'from': 'gpt', 'value': 1}]} | 'conversations', message 1",
        "{'instruction': 'a', 'output': 'b', 'history': [['a']]} | 'history'",
        "{'conversations': [{'from': 'gpt', 'value': 'a'}], 'tools': 7} | 'tools'",
        "{'prompt': 'a', 'completion': 'b', 'score': 'c'} | 'score'",
        "{'prompt': 'a', 'completion': 'b', 'label': 2} | 'label'",
        "{'text': 'a', 'label': true} | 'label'",
        "{'prompt': 'a', 'completion': [{'role': 'assistant', 'content': 'b'}]} | as messages",
      })
  void namesFileLineAndKeyOfMalformedRow(String row, String message) throws Exception {
    Path file = folder.resolve("rows.jsonl");
    Files.writeString(file, "{\"text\": \"fine\"}\n\n" + row.replace('\'', '"') + "\n");

    assertThatThrownBy(() -> Rows.read(file))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("rows.jsonl line 3")
        .hasMessageContaining(message);
  }

  @Test
  void readsArraysAndNamesTheirRows() throws Exception {
    Path file = folder.resolve("rows.json");
    Files.writeString(file, " [{\"text\": \"a\"},\n {\"text\": \"b\", \"label\": 3}]");
    assertThat(Rows.read(file))
        .isEqualTo(
            List.of(
                new Row.PlainText("a"), new Row.Classified("b", null, new Label.Number(3, true))));

    Files.writeString(file, "[{\"text\": \"a\"}, {\"test\": \"b\"}]");
    assertThatThrownBy(() -> Rows.read(file)).hasMessageContaining("rows.json row 2");
    Files.writeString(file, "\n");
    assertThatThrownBy(() -> Rows.read(file)).hasMessageContaining("no rows");
    Files.write(file, new byte[] {'{', (byte) 0xff});
    assertThatThrownBy(() -> Rows.read(file)).hasMessageContaining("UTF-8");
  }
}
