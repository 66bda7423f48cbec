package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Indexes of shards that say something else than the shards. */
class HostileShardIndexTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String SHARD =
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";

  @TempDir Path folder;

  @BeforeEach
  void setUp() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    HostileFiles.write(folder.resolve("1.safetensors"), SHARD, 2);
  }

  private void assertRefused(Reason reason, String message) {
    assertThatThrownBy(() -> HubLayout.of(folder).openWeights())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining(message);
  }

  private void index(String json) throws Exception {
    Files.writeString(folder.resolve(INDEX), json);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{}", "{\"weight_map\":null}", "{\"weight_map\":[]}", "{\"weight_map\":\"x\"}"})
  void refusesIndexWithoutMap(String json) throws Exception {
    index(json);

    assertRefused(Reason.CORRUPT, INDEX + " has no 'weight_map'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "null", "[\"1.safetensors\"]", "{}"})
  void refusesAShardThatIsNoName(String shard) throws Exception {
    index("{\"weight_map\":{\"a\":" + shard + "}}");

    assertRefused(Reason.CORRUPT, "'a' is not in a file beside the index");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "a\\u0000b", "./1.safetensors"})
  void refusesNamesOfNoFile(String name) throws Exception {
    index("{\"weight_map\":{\"a\":\"" + name + "\"}}");

    assertThatThrownBy(() -> HubLayout.of(folder).openWeights())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(folder.toString());
  }

  @Test
  void refusesAShardThatIsMissing() throws Exception {
    index("{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}");

    assertRefused(Reason.IO, "names 2.safetensors, which is not beside it");
  }

  @Test
  void refusesATensorThatItsShardLacks() throws Exception {
    index("{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\"}}");

    assertRefused(Reason.CORRUPT, "says that 1.safetensors holds 'b'; it does not");
  }

  @Test
  void refusesATensorInTwoShards() throws Exception {
    index("{\"weight_map\":{\"a\":\"1.safetensors\",\"a\":\"2.safetensors\"}}");

    assertRefused(Reason.CORRUPT, "Duplicate field 'a'");
  }

  @Test
  void refusesAShardThatIsDamagedOrAPickle() throws Exception {
    index("{\"weight_map\":{\"a\":\"1.safetensors\"}}");

    HostileFiles.write(folder.resolve("1.safetensors"), SHARD, 1);
    assertRefused(Reason.CORRUPT, "1.safetensors is not a valid safetensors file");

    Files.write(folder.resolve("1.safetensors"), new byte[] {(byte) 0x80, 2, '}', '.'});
    assertRefused(Reason.UNSUPPORTED, "1.safetensors is a pickle");
  }

  @Test
  void refusesALinkOutOfTheFolder() throws Exception {
    Path model = Files.createDirectory(folder.resolve("model"));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve(INDEX), "{\"weight_map\":{\"a\":\"1.safetensors\"}}");
    Files.createSymbolicLink(model.resolve("1.safetensors"), folder.resolve("1.safetensors"));

    assertThatThrownBy(() -> HubLayout.of(model).openWeights())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("is a link to a file outside of its folder");
  }

  @Test
  void refusesMoreFilesThanAnyModelHas() throws Exception {
    for (int i = 0; i <= 1000; i++) {
      String header = SHARD.replace("\"a\"", "\"t" + i + "\"");
      HostileFiles.write(folder.resolve(i + ".safetensors"), header, 2);
    }
    index(
        IntStream.rangeClosed(0, 1000)
            .mapToObj(i -> "\"t" + i + "\":\"" + i + ".safetensors\"")
            .collect(Collectors.joining(",", "{\"weight_map\":{", "}}")));

    assertRefused(Reason.CORRUPT, "names more than 1000 files");
  }

  @Test
  void refusesAnIndexBeyondTheLimit() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(folder.resolve(INDEX).toFile(), "rw")) {
      file.setLength((64L << 20) + 1);
    }

    assertRefused(Reason.CORRUPT, "at most 67108864 are read");
  }
}
