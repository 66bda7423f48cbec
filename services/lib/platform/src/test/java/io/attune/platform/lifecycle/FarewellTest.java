package io.attune.platform.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class FarewellTest {
  private final Vertx vertx = Vertx.vertx();
  private final Farewell farewell = new Farewell();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicInteger opened = new AtomicInteger();
  private HttpServer server;

  @BeforeEach
  void start() throws Exception {
    Filters filters = new Filters();
    farewell.listen(filters);
    Router router = Router.router(vertx);
    router.route().handler(filters.getFilters().get(0).getHandler());
    router
        .post("/test/slow")
        .handler(
            context -> {
              begun.countDown();
              vertx.setTimer(500, passed -> answer(context));
            });
    router.post("/test/fast").handler(FarewellTest::answer);
    router.get("/fast").handler(context -> context.response().end("here"));
    server =
        await(
            vertx
                .createHttpServer()
                .connectionHandler(
                    connection -> {
                      opened.incrementAndGet();
                      connection.closeHandler(gone -> closed.countDown());
                    })
                .requestHandler(router)
                .listen(0, "127.0.0.1"));
  }

  @AfterEach
  void stop() throws Exception {
    await(vertx.close());
  }

  @RepeatedTest(5)
  void callsThatRunAndCallsThatComeAreAnswered() throws Exception {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", server.actualPort()).usePlaintext().build();
    call(channel, "fast").get(10, TimeUnit.SECONDS);
    Future<byte[]> running = call(channel, "slow");
    assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(opened).hasValue(1);

    farewell.leave();

    call(channel, "fast").get(10, TimeUnit.SECONDS);
    running.get(10, TimeUnit.SECONDS);
    callUntilThereIsAnotherConnection(channel);
    channel.shutdownNow();
  }

  @RepeatedTest(20)
  void callersThatHaveNothingRunningGoElsewhere() throws Exception {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", server.actualPort()).usePlaintext().build();
    call(channel, "fast").get(10, TimeUnit.SECONDS);

    farewell.leave();

    callUntilThereIsAnotherConnection(channel);
    channel.shutdownNow();
  }

  private void callUntilThereIsAnotherConnection(ManagedChannel channel) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (opened.get() == 1 && System.nanoTime() < end) {
      call(channel, "fast").get(10, TimeUnit.SECONDS);
    }
    assertThat(opened).hasValueGreaterThan(1);
  }

  @Test
  void connectionsOfHttp1AreClosedAfterTheNextAnswer() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    client.send(request("/fast"), text());
    assertThat(closed.getCount()).as("a connection is kept").isEqualTo(1);

    farewell.leave();

    assertThat(client.send(request("/fast"), text()).body()).isEqualTo("here");
    assertThat(closed.await(10, TimeUnit.SECONDS)).as("and is no more").isTrue();
    assertThat(opened).as("the same one").hasValue(1);
  }

  private HttpRequest request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.actualPort() + path))
        .timeout(Duration.ofSeconds(10))
        .build();
  }

  private static HttpResponse.BodyHandler<String> text() {
    return HttpResponse.BodyHandlers.ofString();
  }

  private static Future<byte[]> call(ManagedChannel channel, String method) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("test/" + method)
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
    return ClientCalls.futureUnaryCall(
        channel.newCall(descriptor, CallOptions.DEFAULT), new byte[0]);
  }

  /** An empty message, and that all is well. */
  private static void answer(RoutingContext context) {
    context
        .response()
        .putHeader("content-type", "application/grpc")
        .putTrailer("grpc-status", "0")
        .end(Buffer.buffer(new byte[5]));
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      return new byte[0];
    }
  }

  private static <T> T await(io.vertx.core.Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }
}
