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
import io.attune.launcher.local.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a server on this machine, which behaves, or does not. */
class ModelDownloadTest {
  private static final String WEIGHTS = "model.safetensors";
  private static final ModelId MODEL = new ModelId(HubServer.MODEL, ModelId.MAIN);

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();
  private final byte[] weights = new byte[300_000];
  private HubServer hub;
  private Path out;

  @BeforeEach
  void setUp() throws IOException {
    new Random(1).nextBytes(weights);
    out = folder.resolve("lamp");
    hub =
        new HubServer()
            .with(".gitattributes", "x")
            .with("README.md", "A lamp.")
            .with("config.json", "{\"model_type\": \"llama\"}")
            .with("tokenizer.json", "{}")
            .with("chat_template.jinja", "{{ messages }}")
            .with("1_Pooling/config.json", "{}")
            .with(WEIGHTS, weights)
            .with("onnx/model.onnx", "x")
            .with("pytorch_model.bin", "x")
            .with("modeling_lamp.py", "x");
  }

  @AfterEach
  void tearDown() {
    hub.close();
  }

  private void download() {
    download(MODEL, null, Duration.ofSeconds(60));
  }

  private void download(ModelId model, String token, Duration timeout) {
    HubSettings settings = new HubSettings(hub.endpoint(), token, timeout, Duration.ofMillis(1));
    new ModelDownload(settings, new Notes()).run(model, out);
  }

  private void assertRefused(String message) {
    assertThatThrownBy(this::download)
        .isInstanceOf(LauncherException.class)
        .hasMessageContaining(message);
    assertThat(out).doesNotExist();
  }

  /** All that is below {@link #folder}, without the folders. */
  private List<String> left() throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      return tree.filter(Files::isRegularFile)
          .map(path -> folder.relativize(path).toString())
          .toList();
    }
  }

  private void assertComplete() throws IOException {
    assertThat(left())
        .containsExactlyInAnyOrder(
            "lamp/config.json",
            "lamp/tokenizer.json",
            "lamp/chat_template.jinja",
            "lamp/1_Pooling/config.json",
            "lamp/" + WEIGHTS);
    assertThat(out.resolve(WEIGHTS)).hasBinaryContent(weights);
  }

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
  void refusesAnotherRangeThanItAskedFor() {
    hub.once(fileUrl(WEIGHTS), truncated(weights, 100_000));
    hub.once(
        fileUrl(WEIGHTS),
        exchange -> {
          exchange.getResponseHeaders().set("Content-Range", "bytes 0-299999/300000");
          send(exchange, 206, weights);
        });

    assertRefused("the server sends 'bytes 0-299999/300000'");
  }

  @ParameterizedTest
  @ValueSource(strings = {WEIGHTS, "config.json"}) // by SHA-256, by Git's SHA-1
  void refusesContentOfAnotherDigestAndKeepsNothingOfIt(String name) throws Exception {
    byte[] wrong =
        name.equals(WEIGHTS)
            ? weights.clone()
            : "{\"model_type\": \"lIama\"}".getBytes(StandardCharsets.UTF_8);
    wrong[3] ^= 1;
    hub.once(fileUrl(name), exchange -> send(exchange, 200, wrong));

    assertRefused(name + " of acme/lamp is not what");
    assertThat(left()).noneMatch(file -> file.contains(name));

    download();
    assertComplete();
  }

  @Test
  void stopsAnEndlessBody() throws Exception {
    hub.once(
        fileUrl("config.json"),
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          while (true) {
            exchange.getResponseBody().write(new byte[1 << 16]);
          }
        });

    assertRefused("goes on after its 23 bytes");
  }

  @Test
  void stopsAnEndlessListing() {
    hub.once(
        listingUrl(),
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          while (true) {
            exchange.getResponseBody().write(" ".repeat(1 << 16).getBytes(StandardCharsets.UTF_8));
          }
        });

    assertRefused("in more than 8388608 bytes");
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

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost/secret",
        "http://[::1]/secret",
        "http://2130706433/secret",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://172.16.0.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[fd00::1]/",
        "http://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http:///",
        "http://a b/",
      })
  void refusesRedirectThatIsNotForTheWeb(String location) {
    hub.once(fileUrl("config.json"), redirect(location));

    assertRefused("not followed");
  }

  @Test
  void followsFewRedirects() throws Exception {
    for (int i = 0; i < 5; i++) {
      hub.once(fileUrl("config.json"), redirect(fileUrl("config.json")));
    }
    download();
    assertComplete();

    for (int i = 0; i < 6; i++) {
      hub.once(listingUrl(), redirect(listingUrl()));
    }
    assertThatThrownBy(this::download).hasMessageContaining("more than 5 times");
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

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.json",
        "a/../../evil.json",
        "/etc/evil.json",
        "a//b.json",
        "..\\\\evil.json",
        "C:/evil.json",
        "a\\u0000.json",
        "./config.json",
        "",
      })
  void refusesNamesThatLeadElsewhere(String name) throws Exception {
    hub.listing(hub.listing().replace("\"tokenizer.json\"", "\"" + name + "\""));

    assertRefused("whose name leads elsewhere");
    assertThat(left()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "not JSON",
        "[]",
        "{}",
        "{\"sha\": \"../../x\", \"siblings\": []}",
        "{\"sha\": \"" + HubServer.COMMIT + "\", \"siblings\": [{\"rfilename\": \"config.json\"}]}",
      })
  void refusesListingThatIsNone(String json) {
    hub.listing(json);

    assertRefused(hub.endpoint().toString());
  }

  @Test
  void refusesDeepListing() {
    hub.listing("[".repeat(1_000_000));

    assertRefused("nesting");
  }

  @Test
  void refusesModelOfPicklesAlone() throws Exception {
    hub.listing(hub.listing().replace("\"" + WEIGHTS + "\"", "\"model.pt\""));

    assertRefused("only as pickles");
  }

  @Test
  void refusesModelThatTheDiskHasNoRoomFor() throws Exception {
    hub.listing(hub.listing().replace("\"size\":300000", "\"size\":900000000000000000"));

    assertRefused("MB are needed");
  }

  @Test
  void refusesTokenizerOfAbsurdSize() throws Exception {
    hub.listing(hub.listing().replace("\"size\":2,", "\"size\":2000000000,"));

    assertRefused("cannot be right");
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

  /** Notes what is said; called from one thread. */
  private final class Notes implements Progress {
    @Override
    public void stage(String name) {}

    @Override
    public void step(long done, long total, String detail) {
      assertThat(done).isBetween(0L, total);
    }

    @Override
    public void note(String message) {
      notes.add(message);
    }
  }
}
