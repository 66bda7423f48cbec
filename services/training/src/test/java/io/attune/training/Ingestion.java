package io.attune.training;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.common.v1.Artifact;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.Snapshot;
import io.attune.platform.identity.Roles;
import io.attune.platform.storage.FolderStore;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.config.ConfigProvider;

/**
 * Plays ingestion, on a port of its own: cuts the snapshot that a test has laid down, for callers
 * whose token has the role for it.
 *
 * <p>Not a gRPC service of the application under test: Quarkus leaves such a one out as soon as any
 * other class in the tests extends the same contract's base class.
 */
public final class Ingestion implements QuarkusTestResourceLifecycleManager {
  /** Names the file that holds the next answer. A test and this may be of other class loaders. */
  private static final String ANSWER = "attune.test.snapshot";

  /** A file beside it, a line a call. */
  private static final String TRACES = "traces";

  private Path folder;
  private Server server;

  @Override
  public Map<String, String> start() {
    try {
      folder = Files.createTempDirectory("attune-ingestion");
      server =
          NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
              .addService(new CutOnly(answer()))
              .intercept(new Door(answer().resolveSibling(TRACES)))
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Map.of("attune.ingestion.url", url(), ANSWER, answer().toString());
  }

  /** What training has as {@code attune.ingestion.url}. */
  String url() {
    return "http://127.0.0.1:" + server.getPort();
  }

  private Path answer() {
    return folder.resolve("snapshot");
  }

  @Override
  public void stop() {
    server.shutdownNow();
    try {
      Files.deleteIfExists(answer());
      Files.deleteIfExists(answer().resolveSibling(TRACES));
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The trace contexts of the calls so far. */
  static List<String> traces() throws IOException {
    Path answer = Path.of(ConfigProvider.getConfig().getValue(ANSWER, String.class));
    return Files.readAllLines(answer.resolveSibling(TRACES));
  }

  /** What the next snapshots hold, JSON lines; empty while ingestion cannot be reached. */
  static void holds(Optional<String> ratings) {
    Path answer = Path.of(ConfigProvider.getConfig().getValue(ANSWER, String.class));
    Path root = Path.of(ConfigProvider.getConfig().getValue("attune.storage.root", String.class));
    try {
      if (ratings.isEmpty()) {
        Files.deleteIfExists(answer);
      } else {
        lay(answer, root, ratings.get());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the next snapshots hold, of a service that does not run in this test. */
  void holds(Path storageRoot, String ratings) throws IOException {
    lay(answer(), storageRoot, ratings);
  }

  private static void lay(Path answer, Path storageRoot, String ratings) throws IOException {
    FolderStore store = new FolderStore(storageRoot);
    Path staged = store.stage("snapshots");
    Files.writeString(staged.resolve("ratings.jsonl"), ratings);
    Artifact file = store.publishFile("snapshots", staged, "ratings.jsonl");
    Path whole = answer.resolveSibling("snapshot.tmp");
    Files.write(
        whole, Snapshot.newBuilder().setId(file.getSha256()).setFile(file).build().toByteArray());
    Files.move(whole, answer, StandardCopyOption.ATOMIC_MOVE);
  }

  private static final class CutOnly extends FeedbackServiceGrpc.FeedbackServiceImplBase {
    private final Path answer;

    private CutOnly(Path answer) {
      this.answer = answer;
    }

    @Override
    public void cutSnapshot(
        CutSnapshotRequest request, StreamObserver<CutSnapshotResponse> observer) {
      try {
        Snapshot.Builder snapshot = Snapshot.parseFrom(Files.readAllBytes(answer)).toBuilder();
        snapshot.setDataset(request.getDataset());
        observer.onNext(CutSnapshotResponse.newBuilder().setSnapshot(snapshot).build());
        observer.onCompleted();
      } catch (IOException notThere) {
        observer.onError(Status.UNAVAILABLE.withDescription("not now").asRuntimeException());
      }
    }
  }

  /** Lets in whose token says that it may cut snapshots; that tokens are valid, others check. */
  private static final class Door implements ServerInterceptor {
    private static final Metadata.Key<String> AUTHORIZATION =
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> TRACE =
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

    private final Path traces;

    private Door(Path traces) {
      this.traces = traces;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      note(String.valueOf(headers.get(TRACE)));
      if (claims(headers.get(AUTHORIZATION)).contains('"' + Roles.TRAINER + '"')) {
        return next.startCall(call, headers);
      }
      call.close(Status.UNAUTHENTICATED, new Metadata());
      return new ServerCall.Listener<>() {};
    }

    private synchronized void note(String traceparent) {
      try {
        Files.writeString(
            traces, traceparent + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static String claims(String authorization) {
      String[] parts = authorization == null ? new String[0] : authorization.split("[ .]");
      return parts.length == 4 && parts[0].equals("Bearer")
          ? new String(Base64.getUrlDecoder().decode(parts[2]), UTF_8)
          : "";
    }
  }
}
