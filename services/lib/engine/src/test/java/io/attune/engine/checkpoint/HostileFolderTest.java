package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders whose files lead elsewhere, or are not what their names say. */
class HostileFolderTest {
  @TempDir Path temp;
  private Path folder;

  @BeforeEach
  void setUp() throws Exception {
    folder = Files.createDirectory(temp.resolve("model"));
    Files.writeString(folder.resolve("config.json"), "{}");
  }

  private static void assertRefused(Reason reason, ThrowingCallable read, String message) {
    assertThatThrownBy(read)
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining(message);
  }

  @Test
  void refusesLinksOutOfTheFolderAndFollowsThoseWithin() throws Exception {
    Path secret = Files.writeString(temp.resolve("secret.json"), "{}");
    Files.createSymbolicLink(folder.resolve("generation_config.json"), secret);
    assertRefused(
        Reason.CORRUPT, () -> HubLayout.of(folder).generationConfig(), "outside of its folder");

    Files.createSymbolicLink(folder.resolve("tokenizer_config.json"), Path.of("config.json"));
    assertThat(HubLayout.of(folder).tokenizerConfig()).isPresent();
  }

  @Test
  void followsTheLinksOfTheHubsCache() throws Exception {
    Path blobs = Files.createDirectories(temp.resolve("cache/blobs"));
    Path revision = Files.createDirectories(temp.resolve("cache/snapshots/abc"));
    Files.writeString(blobs.resolve("1234"), "{\"model_type\":\"llama\"}");
    Files.createSymbolicLink(revision.resolve("config.json"), Path.of("../../blobs/1234"));

    assertThat(HubLayout.of(revision).config().get("model_type").asText()).isEqualTo("llama");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret.json", "/etc/passwd", "a/../../secret.json", "./config.json"})
  void refusesPathsThatLeadElsewhere(String path) {
    assertRefused(
        Reason.CORRUPT, () -> HubLayout.of(folder).json(path), "is not a file below that folder");
  }

  @Test
  void refusesNamesThatTheFileSystemDoesNotKnow() {
    assertRefused(
        Reason.CORRUPT, () -> HubLayout.of(folder).json("a\0b"), "is not a name of a file");
    assertRefused(Reason.CORRUPT, () -> ModelFiles.find(folder, "a\0b"), "is not a name of a file");
    assertRefused(Reason.CORRUPT, () -> ModelFiles.find(folder, "a/b"), "beside the others");
  }

  /** Reading a folder, pipe or device is no way to the end of it. */
  @Test
  void refusesWhatIsNoPlainFile() throws Exception {
    Files.createDirectory(folder.resolve("model.safetensors"));
    assertRefused(Reason.IO, () -> HubLayout.of(folder).openWeights(), "has no model.safetensors");
    assertRefused(Reason.IO, () -> ModelFiles.read(folder, 100), "no such file");
    assertRefused(Reason.IO, () -> SafeTensors.open(folder), "no such file");
  }

  @Test
  void refusesAFolderThatIsNoModelOrAdapter() throws Exception {
    Path empty = Files.createDirectory(temp.resolve("empty"));
    assertRefused(Reason.IO, () -> HubLayout.of(empty), "has no config.json");
    assertRefused(Reason.IO, () -> AdapterFiles.open(empty), "has no adapter_config.json");
    Files.writeString(empty.resolve(AdapterFiles.CONFIG), "{}");
    assertRefused(Reason.IO, () -> AdapterFiles.open(empty), "has no adapter_model.safetensors");
  }

  @Test
  void refusesTemplatesThatAreNoTextOrTooLong() throws Exception {
    Path config = folder.resolve("tokenizer_config.json");
    for (String template : new String[] {"1", "{}", "[{\"name\":\"default\",\"template\":[]}]"}) {
      Files.writeString(config, "{\"chat_template\":" + template + "}");
      assertRefused(
          Reason.CORRUPT, () -> HubLayout.of(folder).chatTemplate(), "neither a text nor a list");
    }
    Files.writeString(config, "{\"chat_template\":\"" + "x".repeat((1 << 20) + 1) + "\"}");
    assertRefused(Reason.CORRUPT, () -> HubLayout.of(folder).chatTemplate(), "exceeds 1048576");

    Path jinja = folder.resolve("chat_template.jinja");
    Files.write(jinja, new byte[] {'{', (byte) 0xFF});
    assertRefused(Reason.CORRUPT, () -> HubLayout.of(folder).chatTemplate(), "is not UTF-8");
    try (RandomAccessFile file = new RandomAccessFile(jinja.toFile(), "rw")) {
      file.setLength((1 << 20) + 1);
    }
    assertRefused(Reason.CORRUPT, () -> HubLayout.of(folder).chatTemplate(), "at most 1048576");
  }

  @Test
  void refusesManifestsThatAreNone() throws Exception {
    assertRefused(Reason.CORRUPT, () -> Manifest.read(folder), "has no manifest.json");
    Files.writeString(folder.resolve(Manifest.FILE), "{\"files\":[]}");
    assertRefused(Reason.CORRUPT, () -> Manifest.read(folder), "has no 'files'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../a", "a/b", "a\\\\b", "/a", ".."})
  void refusesManifestsThatNameFilesElsewhere(String name) throws Exception {
    Files.writeString(folder.resolve(Manifest.FILE), "{\"files\":{\"" + name + "\":{}}}");

    assertRefused(Reason.CORRUPT, () -> Manifest.read(folder), "manifest.json names");
  }

  @Test
  void refusesFilesThatTheirManifestDoesNotDescribe() throws Exception {
    Manifest manifest = Manifest.write(folder);
    Files.delete(folder.resolve("config.json"));
    assertRefused(Reason.CORRUPT, () -> manifest.verify(folder), "config.json is missing");

    Files.createSymbolicLink(folder.resolve("config.json"), Path.of("manifest.json"));
    assertRefused(
        Reason.INVALID_ARGUMENT, () -> manifest.verify(folder), "config.json is not a plain file");
  }
}
