package io.attune.platform.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderStoreTest {

  @TempDir Path root;
  private ObjectStore store;

  @BeforeEach
  void open() {
    store = new FolderStore(root);
  }

  @Test
  void aFolderIsNamedByItsManifest() throws IOException {
    Artifact artifact = store.publishFolder("adapters", staged("a", "1", "b", "22"));

    Path folder = store.open(artifact);
    assertThat(folder).isEqualTo(root.resolve("adapters").resolve(artifact.getSha256()));
    assertThat(folder.resolve("manifest.json"))
        .hasContent(
            ("{\"files\":{\"a\":{\"sha256\":\"%s\",\"size_bytes\":1},"
                    + "\"b\":{\"sha256\":\"%s\",\"size_bytes\":2}}}")
                .formatted(sha("1"), sha("22")));
    assertThat(artifact.getSha256()).isEqualTo(Digests.sha256(folder.resolve("manifest.json")));
    assertThat(artifact.getSizeBytes()).isEqualTo(3);
  }

  @Test
  void aFileIsNamedByItself() throws IOException {
    Artifact artifact = store.publishFile("adapters", staged("a", "1"), "a");

    assertThat(artifact.getSha256()).isEqualTo(sha("1"));
    assertThat(store.open(artifact)).hasContent("1").hasFileName("a");
  }

  @Test
  void equalContentIsPublishedOnceAndLeavesNothingBehind() throws IOException {
    Artifact first = store.publishFolder("adapters", staged("a", "1"));
    Artifact second = store.publishFolder("adapters", staged("a", "1"));

    assertThat(second).isEqualTo(first);
    assertThat(root.resolve("adapters/.staging")).isEmptyDirectory();
  }

  @Test
  void whatIsDeletedIsGoneAndNothingElse() throws IOException {
    Artifact folder = store.publishFolder("adapters", staged("a", "1", "b", "2"));
    Artifact file = store.publishFile("adapters", staged("a", "1"), "a");
    Artifact other = store.publishFile("adapters", staged("a", "2"), "a");

    store.delete(folder);
    store.delete(file);
    store.delete(file);

    assertCode(folder, ErrorCode.ERROR_CODE_NOT_FOUND);
    assertCode(file, ErrorCode.ERROR_CODE_NOT_FOUND);
    assertThat(store.open(other)).hasContent("2");
    assertThat(root.resolve("adapters/.staging")).isEmptyDirectory();
    assertThatExceptionOfType(PlatformException.class)
        .isThrownBy(() -> store.delete(file.toBuilder().setUri("file:///etc/passwd").build()));
  }

  @Test
  void whatWasChangedAddedOrRemovedIsCorrupt() throws IOException {
    Artifact artifact = store.publishFolder("adapters", staged("a", "1", "b", "2"));
    Path folder = store.open(artifact);

    Files.writeString(folder.resolve("a"), "x");
    assertCode(artifact, ErrorCode.ERROR_CODE_CORRUPT);
    Files.writeString(folder.resolve("a"), "1");
    assertThat(store.open(artifact)).isEqualTo(folder);
    Files.writeString(folder.resolve("c"), "3");
    assertCode(artifact, ErrorCode.ERROR_CODE_CORRUPT);
    Files.delete(folder.resolve("c"));
    Files.delete(folder.resolve("b"));
    assertCode(artifact, ErrorCode.ERROR_CODE_CORRUPT);
    Files.writeString(folder.resolve("b"), "2");
    Files.writeString(folder.resolve("manifest.json"), "{}");
    assertCode(artifact, ErrorCode.ERROR_CODE_CORRUPT);
  }

  @Test
  void nothingOutsideOfTheStoreIsOpened() throws IOException {
    Path secret = Files.writeString(Files.createTempFile("secret", ""), "x");
    String inside = root.toUri().toString();
    for (String uri :
        new String[] {
          secret.toUri().toString(),
          inside + "../" + secret.getFileName(),
          inside + "adapters/../../etc/passwd",
          inside + "adapters",
          "https://example.org/adapters/" + sha("1"),
          "adapters/" + sha("1"),
          "",
        }) {
      assertCode(
          Artifact.newBuilder().setUri(uri).setSha256(sha("x")).build(),
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT);
    }
    Files.delete(secret);
  }

  @Test
  void whatIsNotThereIsNotFound() {
    String uri = URI.create(root.toUri() + "adapters/" + sha("1")).toString();
    assertCode(
        Artifact.newBuilder().setUri(uri).setSha256(sha("1")).build(),
        ErrorCode.ERROR_CODE_NOT_FOUND);
  }

  @Test
  void linksAndFoldersAreNotPublished() throws IOException {
    Path staged = staged("a", "1");
    Files.createSymbolicLink(staged.resolve("link"), Path.of("/etc/passwd"));

    assertThatIllegalArgumentException().isThrownBy(() -> store.publishFolder("adapters", staged));
  }

  private void assertCode(Artifact artifact, ErrorCode code) {
    assertThatExceptionOfType(PlatformException.class)
        .isThrownBy(() -> store.open(artifact))
        .satisfies(thrown -> assertThat(thrown.code()).isEqualTo(code));
  }

  private Path staged(String... namesAndContents) throws IOException {
    Path folder = store.stage("adapters");
    for (int i = 0; i < namesAndContents.length; i += 2) {
      Files.writeString(folder.resolve(namesAndContents[i]), namesAndContents[i + 1]);
    }
    return folder;
  }

  private static String sha(String content) {
    return Digests.sha256(content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }
}
