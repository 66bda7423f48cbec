package io.attune.launcher.hub;

import static io.attune.launcher.hub.HubServer.fileUrl;
import static io.attune.launcher.hub.HubServer.listingUrl;
import static io.attune.launcher.hub.HubServer.redirect;
import static io.attune.launcher.hub.HubServer.send;
import static io.attune.launcher.hub.HubServer.truncated;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that sends what was not asked for, too much of it, or to elsewhere. */
class HostileHubTest extends DownloadFixture {
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
}
