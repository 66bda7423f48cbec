package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where models come from and how long to wait for it.
 *
 * @param endpoint base URL of the hub or its mirror, without a slash at the end
 * @param token for private models; null for none
 * @param timeout the longest wait for a connection, for an answer, or for more of it
 * @param retryDelay before the first repetition; doubles with each one
 */
public record HubSettings(
    URI endpoint, @Nullable String token, Duration timeout, Duration retryDelay) {
  private static final String DEFAULT = "https://huggingface.co";

  public HubSettings {
    boolean web = "https".equals(endpoint.getScheme()) || "http".equals(endpoint.getScheme());
    if (!web || endpoint.getHost() == null || endpoint.getRawUserInfo() != null) {
      throw new LauncherException("'" + endpoint + "' is not a hub's address: write https://HOST");
    }
  }

  /**
   * Settings from the environment: HF_ENDPOINT and HF_TOKEN.
   *
   * @param endpoint overrides HF_ENDPOINT; null for none
   */
  public static HubSettings of(Map<String, String> environment, @Nullable String endpoint) {
    String url = endpoint != null ? endpoint : environment.getOrDefault("HF_ENDPOINT", DEFAULT);
    String token = environment.getOrDefault("HF_TOKEN", "").strip();
    if (!token.matches("[!-~]*")) {
      throw new LauncherException("HF_TOKEN holds characters that no token has");
    }
    try {
      return new HubSettings(
          URI.create(url.strip().replaceAll("/+$", "")),
          token.isEmpty() ? null : token,
          Duration.ofSeconds(60),
          Duration.ofSeconds(1));
    } catch (IllegalArgumentException e) {
      throw new LauncherException("'" + url + "' is not a hub's address: " + e.getMessage(), e);
    }
  }

  @Override
  public String toString() {
    return endpoint.toString();
  }
}
