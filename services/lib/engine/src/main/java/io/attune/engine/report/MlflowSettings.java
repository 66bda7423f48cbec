package io.attune.engine.report;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where an MLflow server is, from the environment that MLflow's own client reads.
 *
 * @param trackingUri without a slash at its end
 * @param runId a run to report to; null for one of our own
 * @param runName null leaves it to the server
 * @param authorization the header; null for none
 */
public record MlflowSettings(
    String trackingUri,
    String experimentName,
    @Nullable String runId,
    @Nullable String runName,
    @Nullable String authorization) {

  /** Throws if the environment does not say where the server is. */
  static MlflowSettings of(Map<String, String> environment, @Nullable String runName) {
    return new MlflowSettings(
        trackingUri(environment.getOrDefault("MLFLOW_TRACKING_URI", "").strip()),
        environment.getOrDefault("MLFLOW_EXPERIMENT_NAME", "Default"),
        environment.get("MLFLOW_RUN_ID"),
        runName,
        authorization(environment));
  }

  private static String trackingUri(String value) {
    if (value.isEmpty()) {
      throw new IllegalArgumentException(
          "'report_to' names mlflow, but MLFLOW_TRACKING_URI is not set; set it to the address of"
              + " an MLflow server, such as http://127.0.0.1:5000");
    }
    try {
      URI uri = new URI(value);
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (web && uri.getHost() != null && uri.getRawUserInfo() == null && uri.getQuery() == null) {
        return value.replaceAll("/+$", "");
      }
    } catch (URISyntaxException e) {
      // Not quoted: it may hold a password.
    }
    throw new IllegalArgumentException(
        "MLFLOW_TRACKING_URI is not the address of an MLflow server, such as"
            + " http://127.0.0.1:5000; a token goes into MLFLOW_TRACKING_TOKEN, a name and a"
            + " password into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD");
  }

  /** As MLflow's client does: a name and a password win over a token. */
  private static @Nullable String authorization(Map<String, String> environment) {
    String user = environment.get("MLFLOW_TRACKING_USERNAME");
    String password = environment.get("MLFLOW_TRACKING_PASSWORD");
    if (user != null && password != null) {
      byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
      return "Basic " + Base64.getEncoder().encodeToString(pair);
    }
    String token = environment.get("MLFLOW_TRACKING_TOKEN");
    return token == null ? null : "Bearer " + token.strip();
  }
}
