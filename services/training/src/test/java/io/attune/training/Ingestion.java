package io.attune.training;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackService;
import io.attune.feedback.v1.GetStatisticsRequest;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.Snapshot;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.feedback.v1.SubmitRatingsResponse;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Roles;
import io.attune.platform.storage.ObjectStore;
import io.quarkus.grpc.GrpcService;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Plays ingestion: cuts the snapshot that a test has laid down. Its door is the real one. */
@GrpcService
public class Ingestion implements FeedbackService {
  private static final AtomicReference<Optional<String>> RATINGS =
      new AtomicReference<>(Optional.empty());

  private final ObjectStore store;

  @Inject
  public Ingestion(ObjectStore store) {
    this.store = store;
  }

  /** What the next snapshots hold, JSON lines; empty while ingestion cannot be reached. */
  static void holds(Optional<String> ratings) {
    RATINGS.set(ratings);
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.TRAINER)
  public Uni<CutSnapshotResponse> cutSnapshot(CutSnapshotRequest request) {
    String ratings =
        RATINGS
            .get()
            .orElseThrow(() -> new PlatformException(ErrorCode.ERROR_CODE_UNAVAILABLE, "not now"));
    try {
      Path staged = store.stage("snapshots");
      Files.writeString(staged.resolve("ratings.jsonl"), ratings);
      Artifact file = store.publishFile("snapshots", staged, "ratings.jsonl");
      Snapshot snapshot =
          Snapshot.newBuilder()
              .setId(file.getSha256())
              .setDataset(request.getDataset())
              .setFile(file)
              .build();
      return Uni.createFrom().item(CutSnapshotResponse.newBuilder().setSnapshot(snapshot).build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  @RolesAllowed(Roles.RATER)
  public Uni<SubmitRatingsResponse> submitRatings(SubmitRatingsRequest request) {
    throw new UnsupportedOperationException();
  }

  @Override
  @RolesAllowed(Roles.VIEWER)
  public Uni<GetStatisticsResponse> getStatistics(GetStatisticsRequest request) {
    throw new UnsupportedOperationException();
  }
}
