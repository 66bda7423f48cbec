package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;

/** Asks a hub over HTTP. Redirects are followed by the rules of {@link RedirectRules}. */
final class HubClient {
  /** An answer whose body is still to be read, and must be closed. */
  record Answer(int status, HttpResponse<InputStream> response) {
    InputStream body() {
      return response.body();
    }

    String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }
  }

  private static final int MAX_REDIRECTS = 5;
  private static final int MAX_LISTING_BYTES = 8 << 20;

  private final HubSettings settings;
  private final RedirectRules rules;
  private final HttpClient http;

  HubClient(HubSettings settings) {
    this.settings = settings;
    this.rules = new RedirectRules(settings.endpoint());
    this.http =
        HttpClient.newBuilder()
            .version(Version.HTTP_1_1)
            .followRedirects(Redirect.NEVER)
            .connectTimeout(settings.timeout())
            .build();
  }

  /** What the hub says about a model. */
  ModelListing list(ModelId model) throws IOException {
    URI uri =
        URI.create(
            settings.endpoint()
                + "/api/models/"
                + model.path()
                + "/revision/"
                + escaped(model.revision()).replace("/", "%2F")
                + "?blobs=true");
    Answer answer = get(uri, 0, model);
    try (InputStream in = new StallGuard(answer.body(), settings.timeout())) {
      byte[] bytes = in.readNBytes(MAX_LISTING_BYTES + 1);
      if (bytes.length > MAX_LISTING_BYTES) {
        throw new LauncherException(
            settings + " describes " + model + " in more than " + MAX_LISTING_BYTES + " bytes");
      }
      return ModelListing.parse(new String(bytes, StandardCharsets.UTF_8), settings.toString());
    }
  }

  /** A file's bytes from {@code offset} on: status 206, or 200 where the server starts anew. */
  Answer download(ModelId model, String commit, HubFile file, long offset) throws IOException {
    String path = settings.endpoint() + "/" + model.path() + "/resolve/" + commit + "/";
    return get(URI.create(path + escaped(file.path())), offset, model);
  }

  private Answer get(URI uri, long offset, ModelId model) throws IOException {
    URI at = uri;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      HttpResponse<InputStream> response = send(at, offset);
      int status = response.statusCode();
      if (status == 200 || (status == 206 && offset > 0) || (status == 416 && offset > 0)) {
        return new Answer(status, response);
      }
      response.body().close();
      if (status < 300 || status > 399 || status == 304) {
        throw failure(at, status, model);
      }
      at = rules.follow(at, response.headers().firstValue("Location").orElse(""));
    }
    throw new LauncherException(
        settings + " redirects " + uri.getPath() + " more than " + MAX_REDIRECTS + " times");
  }

  private HttpResponse<InputStream> send(URI uri, long offset) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).timeout(settings.timeout()).header("User-Agent", "attune");
    if (offset > 0) {
      request.header("Range", "bytes=" + offset + "-");
    }
    if (settings.token() != null && rules.isHub(uri)) {
      request.header("Authorization", "Bearer " + settings.token());
    }
    try {
      return http.send(request.build(), BodyHandlers.ofInputStream());
    } catch (HttpTimeoutException e) {
      throw new TransientException(
          uri.getHost() + " did not answer within " + settings.timeout().toSeconds() + " seconds");
    } catch (IOException e) {
      throw new TransientException("cannot reach " + uri.getAuthority() + ": " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while waiting for " + uri.getHost(), e);
    }
  }

  private RuntimeException failure(URI uri, int status, ModelId model) throws IOException {
    String host = uri.getHost();
    if (status == 429 || status >= 500) {
      throw new TransientException(host + " answers " + status);
    }
    String page = settings.endpoint() + "/" + model.path();
    return new LauncherException(
        switch (status) {
          case 401 ->
              settings.token() == null
                  ? host
                      + " answers 401: there is no model "
                      + model
                      + ", or it is private; if it is, set HF_TOKEN to a token that may read it"
                  : host + " answers 401: it does not accept the token in HF_TOKEN for " + model;
          case 403 ->
              host + " answers 403: " + model + " is not open to you; ask for access at " + page;
          case 404 -> host + " answers 404: there is no " + uri.getPath() + "; see " + page;
          default -> host + " answers " + status + " to " + uri.getPath();
        });
  }

  /** Percent-encodes what a path may not hold; slashes stay. */
  private static String escaped(String path) {
    StringBuilder out = new StringBuilder();
    for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "-._~/".indexOf(c) >= 0);
      out.append(plain ? String.valueOf(c) : String.format("%%%02X", b & 0xff));
    }
    return out.toString();
  }
}
