package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.data.RowFormat.SampleBy;
import io.attune.engine.template.Template;
import io.attune.engine.token.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that a policy is to answer. */
class PromptRowsTest {
  @TempDir Path folder;

  private List<Row.Prompt> read(RowFormat format, String... lines) throws IOException {
    return Rows.prompts(Files.write(folder.resolve("rows.jsonl"), List.of(lines)), format);
  }

  @Test
  void aPromptIsReadAndAllElseKept() throws IOException {
    List<Row.Prompt> rows =
        read(
            RowFormat.DEFAULT,
            "{\"prompt\": \"2 + 2?\", \"answer\": 4, \"tags\": [\"sum\"]}",
            "{\"prompt\": [{\"role\": \"user\", \"content\": \"Hello\"}]}",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
                + " \"content\": \"b\"}], \"system\": \"c\"}");
    assertThat(rows.get(0).prompt()).isEqualTo(new Content.Text("2 + 2?"));
    assertThat(rows.get(0).fields())
        .isEqualTo(Map.of("prompt", "2 + 2?", "answer", 4, "tags", List.of("sum")));
    assertThat(rows.get(1).prompt())
        .isEqualTo(new Content.Messages(List.of(new ChatMessage("user", "Hello"))));
    assertThat(rows.get(2).prompt())
        .isEqualTo(
            new Content.Messages(
                List.of(new ChatMessage("system", "c"), new ChatMessage("user", "a"))));
  }

  @Test
  void thePromptMayHaveAnotherKeyOrBeWritten() throws IOException {
    RowFormat columns = new RowFormat(Map.of("prompt", "question"), null, SampleBy.LINE);
    Row.Prompt renamed = read(columns, "{\"question\": \"why?\", \"level\": 2}").get(0);
    assertThat(renamed.prompt()).isEqualTo(new Content.Text("why?"));
    assertThat(renamed.fields()).containsEntry("level", 2);

    RowFormat template =
        new RowFormat(Map.of(), Template.parse("Q: {{ question }}\nA:"), SampleBy.LINE);
    assertThat(read(template, "{\"question\": \"why?\"}").get(0).prompt())
        .isEqualTo(new Content.Text("Q: why?\nA:"));
  }

  @Test
  void linesOfTextArePrompts() throws IOException {
    Path file = Files.writeString(folder.resolve("openings.txt"), "This film\nThat one\n");
    RowFormat lines = new RowFormat(Map.of(), null, SampleBy.LINE);
    assertThat(Rows.prompts(file, lines))
        .extracting(Row.Prompt::prompt)
        .containsExactly(new Content.Text("This film"), new Content.Text("That one"));
  }

  @Test
  void aRowWithoutAPromptIsRefused() {
    assertThatThrownBy(() -> read(RowFormat.DEFAULT, "{\"question\": \"why?\"}"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("line 1 has no prompt")
        .hasMessageContaining("'columns'");
    assertThatThrownBy(
            () ->
                read(
                    RowFormat.DEFAULT,
                    "{\"messages\": [{\"role\": \"assistant\", \"content\": \"b\"}]}"))
        .hasMessageContaining("nothing to answer");
  }

  @Test
  void rowsOfPromptsAloneServeNothingElse() {
    Row row = Rows.parse("{\"prompt\": \"Hello\"}", "row");
    assertThat(row).isEqualTo(new Row.Prompt(new Content.Text("Hello"), Map.of()));
  }
}
