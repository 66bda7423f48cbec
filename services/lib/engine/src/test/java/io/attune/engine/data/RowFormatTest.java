package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.data.RowFormat.SampleBy;
import io.attune.engine.template.Template;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How rows that are in no usual shape are understood. */
class RowFormatTest {
  @TempDir Path folder;

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
    Template template =
        Template.parse("Q: {{ question }}{% if hint %} ({{ hint }}){% endif %}; A: ");
    RowFormat format = new RowFormat(Map.of(), template, SampleBy.LINE);
    JsonNode row =
        JsonFiles.parse("{\"question\": \"2+2?\", \"hint\": \"small\", \"output\": \"4\"}", "test");
    assertThat(format.parse(row, "test").row())
        .isEqualTo(
            new Row.Completion(new Content.Text("Q: 2+2? (small); A: "), new Content.Text("4")));
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
}
