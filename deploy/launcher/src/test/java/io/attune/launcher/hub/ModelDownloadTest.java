package io.attune.launcher.hub;

import static io.attune.launcher.hub.HubServer.fileUrl;
import static io.attune.launcher.hub.HubServer.listingUrl;
import static io.attune.launcher.hub.HubServer.redirect;
import static io.attune.launcher.hub.HubServer.send;
import static io.attune.launcher.hub.HubServer.status;
import static io.attune.launcher.hub.HubServer.truncated;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.launcher.local.LauncherException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From a server that behaves, or fails without meaning harm. */
class ModelDownloadTest extends DownloadFixture {
  @Test
  void takesWeightsAndJsonAndSaysWhatItLeavesOut() throws Exception {
    download();

    assertComplete();
    assertThat(notes)
        .contains(
            "left out pickles, which can carry code: pytorch_model.bin",
            "left out code: modeling_lamp.py",
            "left out weights in another form: onnx/model.onnx",
            "left out other files: README.md");
    assertThat(hub.requests()).noneMatch(r -> r.path().endsWith(".bin"));
  }

  @Test
  void downloadsNothingTwice() throws Exception {
    download();
    int requests = hub.requests().size();

    download();

    assertThat(hub.requests()).hasSize(requests + 1);
    assertThat(notes).anyMatch(note -> note.contains("already"));
  }

  @Test
  void leavesAnotherFolderAlone() throws Exception {
    Files.createDirectories(out);
    Files.writeString(out.resolve("config.json"), "mine");

    assertThatThrownBy(this::download).hasMessageContaining("exists already and is not");

    assertThat(left()).containsExactly("lamp/config.json");
  }

  @Test
  void goesOnWithinTheRunWhereTheConnectionBroke() throws Exception {
    hub.once(fileUrl(WEIGHTS), truncated(weights, 100_000));

    download();

    assertComplete();
    assertThat(hub.requests(fileUrl(WEIGHTS)))
        .extracting(HubServer.Request::range)
        .containsExactly(null, "bytes=100000-");
  }

  @Test
  void goesOnInTheNextRunWhereTheServerFailed() throws Exception {
    hub.once(fileUrl(WEIGHTS), truncated(weights, 200_000));
    for (int i = 0; i < 4; i++) {
      hub.once(fileUrl(WEIGHTS), status(503));
    }
    assertRefused("503; the same command goes on from here");
    assertThat(left()).anyMatch(name -> name.endsWith(".part"));

    download();

    assertComplete();
    assertThat(hub.requests(fileUrl(WEIGHTS)).get(5).range()).isEqualTo("bytes=200000-");
    assertThat(hub.requests(fileUrl("config.json"))).hasSize(1);
  }

  @Test
  void startsAnewWhereTheServerKnowsNoRanges() throws Exception {
    hub.once(fileUrl(WEIGHTS), truncated(weights, 100_000));
    hub.once(fileUrl(WEIGHTS), exchange -> send(exchange, 200, weights));

    download();

    assertComplete();
  }

  @Test
  void goesOnWhereTheServerStalls() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    hub.once(
        fileUrl(WEIGHTS),
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights, 0, 50_000);
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });

    download(MODEL, null, Duration.ofSeconds(2));
    end.countDown();

    assertComplete();
    assertThat(notes).anyMatch(note -> note.contains("nothing came for 2.0 seconds"));
  }

  @ParameterizedTest
  @CsvSource({
    "401, set HF_TOKEN",
    "403, ask for access",
    "404, there is no",
    "418, answers 418",
  })
  void saysWhatAStatusMeans(int status, String message) {
    hub.once(listingUrl(), status(status));

    assertRefused(message);
  }

  @Test
  void saysThatATokenIsNotAccepted() {
    hub.once(listingUrl(), status(401));

    assertThatThrownBy(() -> download(MODEL, "secret", Duration.ofSeconds(60)))
        .hasMessageContaining("does not accept the token")
        .hasMessageNotContaining("secret");
  }

  @Test
  void sendsTheTokenToTheHubAlone() throws Exception {
    try (HubServer store = new HubServer().with(WEIGHTS, weights)) {
      hub.once(fileUrl(WEIGHTS), redirect(store.endpoint() + fileUrl(WEIGHTS)));

      download(MODEL, "secret", Duration.ofSeconds(60));

      assertComplete();
      assertThat(hub.requests()).allMatch(r -> r.authorization().equals("Bearer secret"));
      assertThat(store.requests())
          .containsExactly(new HubServer.Request(fileUrl(WEIGHTS), null, null));
    }
  }

  @Test
  void takesShardsAndNotTheSameWeightsInAnotherForm() throws Exception {
    hub.listing(
        hub.listing()
            .replace("\"" + WEIGHTS + "\"", "\"model-00001-of-00001.safetensors\"")
            .replace("\"README.md\"", "\"consolidated.safetensors\""));
    hub.with("model-00001-of-00001.safetensors", weights);

    download();

    assertThat(left()).contains("lamp/model-00001-of-00001.safetensors");
    assertThat(out.resolve("consolidated.safetensors")).doesNotExist();
  }

  @Test
  void asksForTheRevisionThatWasNamed() throws Exception {
    download(new ModelId(HubServer.MODEL, "refs/pr/1"), null, Duration.ofSeconds(60));

    assertComplete();
    assertThat(hub.requests().get(0).path()).isEqualTo("/api/models/acme/lamp/revision/refs/pr/1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lamp", "a/b/c", "../b", "a/..b", "a/b?x", "/b", "a/", "a b/c"})
  void refusesWhatIsNoName(String path) {
    assertThatThrownBy(() -> new ModelId(path, ModelId.MAIN))
        .isInstanceOf(LauncherException.class)
        .hasMessageContaining("ORG/NAME");
  }
}
