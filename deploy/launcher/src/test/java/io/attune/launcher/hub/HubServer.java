package io.attune.launcher.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A hub on this machine that holds one model, and misbehaves where it is told to. */
public final class HubServer implements AutoCloseable {
  public static final String MODEL = "acme/lamp";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** What was asked; texts are null where a header was not sent. */
  record Request(String path, String range, String authorization) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, Queue<HttpHandler>> answers = new ConcurrentHashMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private String listing;

  public HubServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  public HubServer with(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  public HubServer with(String path, String content) {
    return with(path, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Describes the model with these words instead of the true ones. */
  void listing(String json) {
    listing = json;
  }

  String listing() throws IOException {
    ObjectNode root = new ObjectMapper().createObjectNode().put("id", MODEL).put("sha", COMMIT);
    ArrayNode siblings = root.putArray("siblings");
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      ObjectNode sibling = siblings.addObject();
      byte[] content = file.getValue();
      sibling.put("rfilename", file.getKey()).put("size", content.length);
      sibling.put("blobId", gitSha1(content));
      if (file.getKey().endsWith(".safetensors")) {
        sibling.putObject("lfs").put("sha256", sha256(content)).put("size", content.length);
      }
    }
    return root.toString();
  }

  /** Answers the next request for a path in this way, and those after it as usual. */
  void once(String path, HttpHandler answer) {
    answers.computeIfAbsent(path, p -> new ConcurrentLinkedQueue<>()).add(answer);
  }

  static String fileUrl(String path) {
    return "/" + MODEL + "/resolve/" + COMMIT + "/" + path;
  }

  static String listingUrl() {
    return "/api/models/" + MODEL + "/revision/main";
  }

  List<Request> requests() {
    return requests;
  }

  List<Request> requests(String path) {
    return requests.stream().filter(r -> r.path().equals(path)).toList();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String range = exchange.getRequestHeaders().getFirst("Range");
    requests.add(new Request(path, range, exchange.getRequestHeaders().getFirst("Authorization")));
    Queue<HttpHandler> prepared = answers.get(path);
    HttpHandler answer = prepared == null ? null : prepared.poll();
    try (exchange) {
      if (answer != null) {
        answer.handle(exchange);
      } else if (path.startsWith("/api/models/" + MODEL + "/")) {
        String json = listing == null ? listing() : listing;
        send(exchange, 200, json.getBytes(StandardCharsets.UTF_8));
      } else {
        byte[] content = files.get(path.replaceFirst(fileUrl(""), ""));
        if (content == null) {
          exchange.sendResponseHeaders(404, -1);
        } else {
          file(exchange, content, range);
        }
      }
    }
  }

  private static void file(HttpExchange exchange, byte[] content, String range) throws IOException {
    if (range == null) {
      send(exchange, 200, content);
      return;
    }
    int from = Integer.parseInt(range.replaceAll("[^0-9]", ""));
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    send(exchange, 206, Arrays.copyOfRange(content, from, content.length));
  }

  static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  static HttpHandler status(int status) {
    return exchange -> exchange.sendResponseHeaders(status, -1);
  }

  static HttpHandler redirect(String location) {
    return exchange -> {
      exchange.getResponseHeaders().set("Location", location);
      exchange.sendResponseHeaders(302, -1);
    };
  }

  /** Announces all of a content, sends its beginning and breaks off. */
  static HttpHandler truncated(byte[] content, int sent) {
    return exchange -> {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content, 0, sent);
      exchange.getResponseBody().flush();
      throw new IOException("broken off on purpose");
    };
  }

  static String sha256(byte[] content) {
    return hex("SHA-256", content);
  }

  /** Git's name of a blob. */
  static String gitSha1(byte[] content) {
    byte[] header = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] blob = Arrays.copyOf(header, header.length + content.length);
    System.arraycopy(content, 0, blob, header.length, content.length);
    return hex("SHA-1", blob);
  }

  private static String hex(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
