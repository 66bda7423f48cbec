package io.attune.ingestion;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.FeedbackServiceGrpc.FeedbackServiceBlockingStub;
import io.attune.platform.identity.Roles;
import io.attune.platform.telemetry.TraceParent;
import io.attune.testkit.TestTokens;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.restassured.response.Response;
import java.net.URI;
import org.eclipse.microprofile.config.ConfigProvider;

/** Calls the running service by its doors, within a trace of the caller's. */
final class Callers implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> TRACE =
      Metadata.Key.of(TraceParent.HEADER, Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;
  private final String token =
      TestTokens.ofRunningTest()
          .with("rita", Roles.RATER, Roles.DATA_ENGINEER, Roles.TRAINER, Roles.VIEWER);

  Callers() {
    URI url = URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    channel = NettyChannelBuilder.forAddress(url.getHost(), url.getPort()).usePlaintext().build();
  }

  Response post(String path, String type, String body, String traceparent) {
    return given()
        .auth()
        .oauth2(token)
        .header(TraceParent.HEADER, traceparent)
        .contentType(type)
        .body(body.getBytes(UTF_8))
        .post(path);
  }

  FeedbackServiceBlockingStub grpc(String traceparent) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    headers.put(TRACE, traceparent);
    return FeedbackServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
