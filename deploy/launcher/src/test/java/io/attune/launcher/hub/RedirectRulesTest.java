package io.attune.launcher.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedirectRulesTest {
  private static final URI HUB = URI.create("https://hub.example");
  private final RedirectRules rules = new RedirectRules(HUB);

  @ParameterizedTest
  @CsvSource({
    "8.8.8.8, true",
    "2606:4700::1, true",
    "127.0.0.1, false",
    "169.254.169.254, false",
    "10.1.2.3, false",
    "172.31.255.255, false",
    "172.32.0.1, true",
    "192.168.1.1, false",
    "100.127.0.1, false",
    "100.128.0.1, true",
    "198.19.0.1, false",
    "0.1.2.3, false",
    "224.0.0.1, false",
    "255.255.255.255, false",
    "::1, false",
    "::, false",
    "fe80::1, false",
    "fc00::1, false",
    "fdff::1, false",
    "::ffff:127.0.0.1, false",
    "64:ff9b::7f00:1, false",
    "2002:7f00:1::, false",
  })
  void knowsPublicAddresses(String address, boolean isPublic) throws Exception {
    assertThat(RedirectRules.isPublic(InetAddress.getByName(address))).isEqualTo(isPublic);
  }

  @ParameterizedTest
  @CsvSource({
    "https://hub.example/x, true",
    "https://HUB.example:443/x, true",
    "https://hub.example:444/x, false",
    "http://hub.example/x, false",
    "https://cdn.hub.example/x, false",
    "https://hub.example.evil.example/x, false",
  })
  void knowsWhoGetsTheToken(URI target, boolean isHub) {
    assertThat(rules.isHub(target)).isEqualTo(isHub);
  }

  @Test
  void refusesToGiveUpEncryption() {
    assertThatThrownBy(() -> rules.follow(HUB, "http://hub.example/x"))
        .hasMessageContaining("is not encrypted");
  }

  @Test
  void resolvesRelativeTargets() {
    assertThat(rules.follow(HUB.resolve("/a/b"), "../c")).isEqualTo(HUB.resolve("/c"));
  }

  @Test
  void takesSettingsFromTheEnvironment() {
    HubSettings settings =
        HubSettings.of(
            Map.of("HF_ENDPOINT", "https://mirror.example/hf/", "HF_TOKEN", " t "), null);

    assertThat(settings.endpoint()).isEqualTo(URI.create("https://mirror.example/hf"));
    assertThat(settings.token()).isEqualTo("t");
    assertThat(HubSettings.of(Map.of(), null).endpoint())
        .isEqualTo(URI.create("https://huggingface.co"));
    assertThatThrownBy(() -> HubSettings.of(Map.of(), "file:///x"))
        .hasMessageContaining("is not a hub's address");
    assertThatThrownBy(() -> HubSettings.of(Map.of("HF_TOKEN", "a\nb"), null))
        .hasMessageContaining("HF_TOKEN")
        .hasMessageNotContaining("a\nb");
  }
}
