package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What the other tests check is what {@code kubectl apply -k} would apply. Kustomize is a Go
 * program, so a machine with no more than a JDK checks that the rendered files were made from these
 * very inputs; one with kubectl also renders anew.
 */
class RenderingTest {
  private static final String STALE =
      "k8s/ was changed and not rendered: run deploy/manifests/render.sh";

  @Test
  void theRenderedFilesWereMadeFromTheseInputs() throws IOException {
    Map<String, String> noted =
        Files.readAllLines(Overlay.rendered().resolve("inputs.sha256")).stream()
            .map(line -> line.split(" +", 2))
            .collect(Collectors.toMap(line -> line[1], line -> line[0], (a, b) -> a, TreeMap::new));
    assertThat(noted).as(STALE).isEqualTo(inputs());
  }

  @Test
  void everyOverlayWasRendered() throws IOException {
    try (Stream<Path> files = Files.list(Overlay.rendered())) {
      assertThat(files.filter(file -> file.toString().endsWith(".yaml")))
          .as(STALE)
          .containsExactlyInAnyOrderElementsOf(Overlay.all().stream().map(Overlay::file).toList());
    }
  }

  @TestFactory
  Stream<DynamicTest> whereKubectlIsItRendersTheSame() {
    List<Overlay> overlays = onPath("kubectl") ? Overlay.all() : List.of();
    return overlays.stream()
        .map(
            overlay ->
                DynamicTest.dynamicTest(
                    overlay.name(),
                    () -> assertThat(render(overlay)).as(STALE).isEqualTo(overlay.text())));
  }

  private static Map<String, String> inputs() throws IOException {
    Map<String, String> digests = new TreeMap<>();
    try (Stream<Path> files = Files.walk(Project.root().resolve("k8s"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = Project.root().relativize(file).toString().replace(File.separatorChar, '/');
        if (name.endsWith(".yaml") || name.endsWith(".json")) {
          digests.put(name, sha256(Files.readAllBytes(file)));
        }
      }
    }
    return digests;
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean onPath(String command) {
    return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
  }

  private static String render(Overlay overlay) throws IOException, InterruptedException {
    Process kubectl =
        new ProcessBuilder("kubectl", "kustomize", overlay.folder().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String text = new String(kubectl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(kubectl.waitFor()).as("exit status of kubectl kustomize").isZero();
    return text;
  }
}
