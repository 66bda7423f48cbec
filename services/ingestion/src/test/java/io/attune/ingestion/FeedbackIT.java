package io.attune.ingestion;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import com.google.rpc.ErrorInfo;
import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.FeedbackServiceGrpc.FeedbackServiceBlockingStub;
import io.attune.feedback.v1.GetStatisticsRequest;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingOutcome;
import io.attune.feedback.v1.Snapshot;
import io.attune.feedback.v1.SnapshotCut;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.platform.identity.Roles;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.TestTokens;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.Assertions;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(Infrastructure.class)
class FeedbackIT {

  private final TestTokens tokens = TestTokens.ofRunningTest();
  private ManagedChannel channel;

  @BeforeEach
  void open() {
    URI url = URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    channel = NettyChannelBuilder.forAddress(url.getHost(), url.getPort()).usePlaintext().build();
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
  }

  @Test
  void oneRatingOverHttp() {
    post("application/json", "{\"id\":\"http-1\",\"completion\":\"a\",\"score\":1}")
        .then()
        .statusCode(200)
        .body("rating_id", equalTo("http-1"))
        .body("state", equalTo("STATE_ACCEPTED"));
    post("application/json", "{\"id\":\"http-1\",\"completion\":\"a\",\"score\":1}")
        .then()
        .statusCode(200)
        .body("state", equalTo("STATE_DUPLICATE"));
  }

  @Test
  void aRefusedRatingOverHttpIsAnError() {
    post("application/json", "{\"completion\":\"a\",\"score\":2}")
        .then()
        .statusCode(400)
        .body("error.code", equalTo("INVALID_ARGUMENT"));
  }

  @Test
  void aThousandLinesHaveAThousandOutcomes() {
    String lines =
        IntStream.range(0, 1000)
            .mapToObj(
                i ->
                    i % 100 == 0
                        ? "not json"
                        : "{\"id\":\"line-%d\",\"dataset\":\"lines\",\"completion\":\"a\",\"score\":1}"
                            .formatted(i % 100 == 1 ? 1 : i))
            .collect(Collectors.joining("\n"));

    List<String> outcomes =
        post("application/x-ndjson", lines)
            .then()
            .statusCode(200)
            .extract()
            .asString()
            .lines()
            .toList();

    assertThat(outcomes).hasSize(1000);
    assertThat(outcomes.get(0)).contains("STATE_REJECTED", "MALFORMED");
    assertThat(outcomes.get(1)).contains("line-1", "STATE_ACCEPTED");
    assertThat(outcomes.get(101)).contains("line-1", "STATE_DUPLICATE");
    assertThat(outcomes).filteredOn(o -> o.contains("STATE_ACCEPTED")).hasSize(981);
    var counts = stub(Roles.VIEWER).getStatistics(dataset("lines"));
    assertThat(counts.getAccepted()).isEqualTo(981);
  }

  @Test
  void moreThanAThousandLinesAreTooMany() {
    post("application/x-ndjson", "{}\n".repeat(1001)).then().statusCode(413);
  }

  @Test
  void ratingsOverGrpcKeepTheirOrder() {
    var request =
        SubmitRatingsRequest.newBuilder()
            .addRatings(Rating.newBuilder().setId("grpc-1").setCompletion("a").setScore(1))
            .addRatings(Rating.newBuilder().setId("grpc-2").setScore(1))
            .addRatings(Rating.newBuilder().setId("grpc-3").setGenerationId("later").setScore(1))
            .build();

    List<RatingOutcome> outcomes =
        stub(Roles.DATA_ENGINEER).submitRatings(request).getOutcomesList();

    assertThat(outcomes)
        .extracting(RatingOutcome::getState)
        .containsExactly(
            RatingOutcome.State.STATE_ACCEPTED,
            RatingOutcome.State.STATE_REJECTED,
            RatingOutcome.State.STATE_PENDING);
  }

  @Test
  void ratersMayNotSendText() {
    var request =
        SubmitRatingsRequest.newBuilder()
            .addRatings(Rating.newBuilder().setCompletion("a").setScore(1))
            .build();

    RatingOutcome outcome = stub(Roles.RATER).submitRatings(request).getOutcomes(0);

    assertThat(outcome.getFailure().getCode()).isEqualTo(ErrorCode.ERROR_CODE_TEXT_NOT_ALLOWED);
  }

  @Test
  void equalContentIsTheSameSnapshot() throws Exception {
    String line =
        "{\"id\":\"%s\",\"dataset\":\"cut\",\"prompt\":\"p\",\"completion\":\"%s\",\"score\":0.5}";
    // Sent against their order, which the file does not keep.
    post("application/json", line.formatted("b", "x"));
    post("application/json", line.formatted("a", "y"));
    Snapshot first = cut("cut");
    Snapshot second = cut("cut");
    post("application/json", line.formatted("c", "z"));
    Snapshot third = cut("cut");

    assertThat(second).isEqualTo(first);
    assertThat(first.getRatings()).isEqualTo(2);
    assertThat(third.getId()).isNotEqualTo(first.getId());
    Path file = Path.of(URI.create(first.getFile().getUri()));
    assertThat(Files.readAllLines(file))
        .hasSize(2)
        .satisfiesExactly(
            a -> assertThat(a).contains("\"rating_id\":\"a\"", "\"completion\":\"y\""),
            b -> assertThat(b).contains("\"rating_id\":\"b\""));
    assertThat(io.attune.platform.storage.Digests.sha256(file))
        .isEqualTo(first.getId())
        .isEqualTo(file.getParent().getFileName().toString());
    try (Topic topic = new Topic()) {
      var events =
          topic.await(SnapshotCut.class, 2, e -> e.getSnapshot().getDataset().equals("cut"));
      assertThat(events)
          .extracting(e -> e.getSnapshot().getId())
          .containsExactly(first.getId(), third.getId());
    }
    given()
        .auth()
        .oauth2(tokens.with("val", Roles.VIEWER))
        .get("/v1/snapshots?dataset=cut")
        .then()
        .statusCode(200)
        .body("snapshots.size()", equalTo(2))
        .body("snapshots[0].id", equalTo(third.getId()));
  }

  @Test
  void anEmptyDataSetCannotBeCut() {
    Assertions.assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(() -> cut("empty"))
        .satisfies(
            thrown -> {
              var status = StatusProto.fromThrowable(thrown);
              ErrorInfo info = status.getDetails(0).unpack(ErrorInfo.class);
              assertThat(info.getReason()).isEqualTo("TOO_LITTLE_DATA");
              assertThat(info.getDomain()).isEqualTo("attune.io");
            });
  }

  private Snapshot cut(String dataset) {
    var request = CutSnapshotRequest.newBuilder().setDataset(dataset).build();
    return stub(Roles.TRAINER).cutSnapshot(request).getSnapshot();
  }

  private io.restassured.response.Response post(String contentType, String body) {
    return given()
        .auth()
        .oauth2(tokens.with("eve", Roles.DATA_ENGINEER))
        .contentType(contentType)
        .body(body.getBytes(java.nio.charset.StandardCharsets.UTF_8))
        .post("/v1/feedback");
  }

  private FeedbackServiceBlockingStub stub(String role) {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Bearer " + tokens.with("eve", role));
    return FeedbackServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static GetStatisticsRequest dataset(String name) {
    return GetStatisticsRequest.newBuilder().setDataset(name).build();
  }
}
