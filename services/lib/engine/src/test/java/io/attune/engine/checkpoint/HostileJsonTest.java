package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every JSON file of a folder goes through, shown on {@code config.json}. */
class HostileJsonTest {
  @TempDir Path folder;

  private void assertRefused(byte[] json, String message) throws Exception {
    Files.write(folder.resolve("config.json"), json);
    assertConfigRefused(message);
  }

  private void assertRefused(String json, String message) throws Exception {
    assertRefused(json.getBytes(StandardCharsets.UTF_8), message);
  }

  private void assertConfigRefused(String message) {
    assertThatThrownBy(() -> HubLayout.of(folder).config())
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).as("%s", e).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("config.json")
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(2000));
  }

  @Test
  void refusesTheSameKeyTwice() throws Exception {
    assertRefused("{\"hidden_size\":1,\"hidden_size\":2}", "Duplicate field 'hidden_size'");
    assertRefused("{\"a\":{\"b\":1,\"b\":1}}", "Duplicate field 'b'");
    assertRefused("{\"ab\":1,\"\\u0061b\":2}", "Duplicate field 'ab'");
  }

  @Test
  void refusesDeepNesting() throws Exception {
    assertRefused("{\"a\":" + "[".repeat(64) + "]".repeat(64) + "}", "nesting depth");
    assertRefused("{\"a\":".repeat(100_000), "nesting depth");
  }

  @Test
  void refusesMoreValuesThanAnyFileHas() throws Exception {
    assertRefused("{\"a\":[" + "0,".repeat(600_000) + "0]}", "Token count (600001)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "{", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{\"a\":tru", "{\"a\":\"b", "x"})
  void refusesTruncatedJson(String json) throws Exception {
    assertRefused(json, "JSON");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{} {}", "{}x", "{}\u0000", "{\"a\":01}", "{\"a\":NaN}", "{a:1}", "{'a':1}"})
  void refusesWhatIsNotQuiteJson(String json) throws Exception {
    assertRefused(json, "not valid JSON");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "1", "\"a\"", "null", "true"})
  void refusesWhatIsNoObject(String json) throws Exception {
    assertRefused(json, "does not hold a JSON object");
  }

  @Test
  void refusesNumbersOfManyDigits() throws Exception {
    assertRefused("{\"a\":" + "9".repeat(2000) + "}", "Number value length");
  }

  @Test
  void refusesTextThatIsNotUtf8() throws Exception {
    assertRefused(new byte[] {'{', '"', (byte) 0xC3, '"', ':', '1', '}'}, "is not UTF-8");
    assertRefused(new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xFF, '"', '}'}, "is not UTF-8");
    assertRefused("{\"a\":1}".getBytes(StandardCharsets.UTF_16LE), "not valid JSON");
  }

  @Test
  void refusesAFileBeyondTheLimitWithoutReadingIt() throws Exception {
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("config.json").toFile(), "rw")) {
      file.setLength(1L << 40);
    }

    assertConfigRefused("has 1099511627776 bytes; at most 16777216 are read");
  }

  @Test
  void refusesAListThatIsNone() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("modules.json"), "{\"a\":[1]}");

    assertThatThrownBy(() -> HubLayout.of(folder).sentenceModules())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("modules.json does not hold a JSON array");
  }
}
