package io.attune.launcher.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Who vouches for callers on one machine: an OpenID Connect issuer with Keycloak's URLs, so that a
 * real Keycloak takes its place by a change of one URL. Knows the token endpoint's
 * client_credentials grant, for the services; people's tokens come from {@link SignedTokens}.
 */
final class LocalIssuer implements Issuer, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration SERVICE_TOKEN_VALIDITY = Duration.ofMinutes(5);
  private static final int MAXIMUM_BODY_BYTES = 8192;

  /** A service that may ask for tokens of its own, and what it may ask for. */
  private record Client(String secret, List<String> roles, List<String> scopes) {}

  private final HttpServer server;
  private final ExecutorService threads;
  private final SignedTokens tokens;
  private final Map<String, Client> clients = new HashMap<>();

  private LocalIssuer(HttpServer server, ExecutorService threads, SignedTokens tokens) {
    this.server = server;
    this.threads = threads;
    this.tokens = tokens;
  }

  /**
   * Starts the issuer.
   *
   * <p>Services' secrets are made anew at each start.
   *
   * @param folder holds its key, which is made at the first start
   */
  static LocalIssuer start(Path folder, int port) {
    String url = "http://127.0.0.1:" + port + "/realms/attune";
    SigningKey key = SigningKey.loadOrCreate(keyFile(folder));
    ExecutorService threads =
        Executors.newFixedThreadPool(
            4,
            run -> {
              Thread thread = new Thread(run, "issuer");
              thread.setDaemon(true);
              return thread;
            });
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 64);
      LocalIssuer issuer =
          new LocalIssuer(server, threads, new SignedTokens(key, url, Clock.systemUTC()));
      for (ServiceKind service : ServiceKind.values()) {
        issuer.clients.put(
            service.clientId(), new Client(Secrets.random(), service.roles(), service.calls()));
      }
      server.setExecutor(threads);
      issuer.route("/realms/attune/.well-known/openid-configuration", issuer::discovery);
      issuer.route("/realms/attune/protocol/openid-connect/certs", issuer::certs);
      issuer.route("/realms/attune/protocol/openid-connect/token", issuer::token);
      server.start();
      return issuer;
    } catch (IOException e) {
      threads.shutdownNow();
      throw new LauncherException("the issuer cannot listen on port " + port, e);
    }
  }

  static Path keyFile(Path folder) {
    return folder.resolve("key.der");
  }

  @Override
  public String url() {
    return tokens.issuer();
  }

  @Override
  public SignedTokens tokens() {
    return tokens;
  }

  @Override
  public String secret(ServiceKind service) {
    return clients.get(service.clientId()).secret();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void route(String path, HttpHandler handler) {
    server.createContext(
        path,
        exchange -> {
          try (exchange) {
            if (exchange.getRequestURI().getPath().equals(path)) {
              handler.handle(exchange);
            } else {
              reply(exchange, 404, Map.of("error", "not_found"));
            }
          }
        });
  }

  private void discovery(HttpExchange exchange) throws IOException {
    String endpoints = url() + "/protocol/openid-connect";
    reply(
        exchange,
        200,
        Map.of(
            "issuer", url(),
            "jwks_uri", endpoints + "/certs",
            "token_endpoint", endpoints + "/token",
            "grant_types_supported", List.of("client_credentials"),
            "response_types_supported", List.of("none"),
            "subject_types_supported", List.of("public"),
            "id_token_signing_alg_values_supported", List.of("RS256"),
            "token_endpoint_auth_methods_supported",
                List.of("client_secret_basic", "client_secret_post")));
  }

  private void certs(HttpExchange exchange) throws IOException {
    reply(exchange, 200, tokens.keySet());
  }

  private void token(HttpExchange exchange) throws IOException {
    if (!exchange.getRequestMethod().equals("POST")) {
      reply(exchange, 405, Map.of("error", "invalid_request"));
      return;
    }
    Map<String, String> form = form(exchange.getRequestBody().readNBytes(MAXIMUM_BODY_BYTES));
    String basic = exchange.getRequestHeaders().getFirst("Authorization");
    if (basic != null && basic.startsWith("Basic ")) {
      readBasic(basic.substring("Basic ".length()), form);
    }
    Client client = clients.get(form.getOrDefault("client_id", ""));
    if (client == null || !same(client.secret(), form.getOrDefault("client_secret", ""))) {
      reply(exchange, 401, Map.of("error", "invalid_client"));
    } else if (!"client_credentials".equals(form.get("grant_type"))) {
      reply(exchange, 400, Map.of("error", "unsupported_grant_type"));
    } else {
      grant(exchange, form.get("client_id"), client, scopes(form.getOrDefault("scope", "")));
    }
  }

  /** Each scope that is asked for adds the service of its name to the token's audience. */
  private void grant(HttpExchange exchange, String id, Client client, List<String> scopes)
      throws IOException {
    if (!client.scopes().containsAll(scopes)) {
      reply(exchange, 400, Map.of("error", "invalid_scope"));
      return;
    }
    List<String> audiences = scopes.stream().map(scope -> "attune-" + scope).toList();
    String token =
        tokens.mint(
            Optional.empty(),
            id,
            "service-account-" + id,
            client.roles(),
            audiences,
            SERVICE_TOKEN_VALIDITY);
    reply(
        exchange,
        200,
        Map.of(
            "access_token",
            token,
            "token_type",
            "Bearer",
            "expires_in",
            SERVICE_TOKEN_VALIDITY.toSeconds(),
            "scope",
            String.join(" ", scopes)));
  }

  private static List<String> scopes(String text) {
    return Arrays.stream(text.split(" ")).filter(scope -> !scope.isEmpty()).toList();
  }

  private static void readBasic(String encoded, Map<String, String> form) {
    try {
      String text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      if (colon >= 0) {
        form.put("client_id", decode(text.substring(0, colon)));
        form.put("client_secret", decode(text.substring(colon + 1)));
      }
    } catch (IllegalArgumentException e) {
      form.remove("client_id"); // not base64: nobody is named, so nobody is let in
    }
  }

  private static Map<String, String> form(byte[] body) {
    Map<String, String> form = new HashMap<>();
    for (String field : new String(body, StandardCharsets.UTF_8).split("&", -1)) {
      int equals = field.indexOf('=');
      if (equals > 0) {
        form.put(decode(field.substring(0, equals)), decode(field.substring(equals + 1)));
      }
    }
    return form;
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return ""; // a broken escape names nothing that exists
    }
  }

  private static boolean same(String expected, String given) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
  }

  private static void reply(HttpExchange exchange, int status, Map<String, Object> body)
      throws IOException {
    byte[] bytes = JSON.writeValueAsBytes(body);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }
}
