package io.attune.ingestion;

import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackService;
import io.attune.feedback.v1.GetStatisticsRequest;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.feedback.v1.SubmitRatingsResponse;
import io.attune.ingestion.rating.RatingSubmission;
import io.attune.ingestion.snapshot.SnapshotCutter;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.quarkus.grpc.GrpcService;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;

/** The service in gRPC. */
@GrpcService
public class FeedbackGrpc implements FeedbackService {

  private final RatingSubmission submission;
  private final SnapshotCutter snapshots;
  private final SecurityIdentity identity;

  FeedbackGrpc(RatingSubmission submission, SnapshotCutter snapshots, SecurityIdentity identity) {
    this.submission = submission;
    this.snapshots = snapshots;
    this.identity = identity;
  }

  @Override
  @Blocking
  @RolesAllowed({Roles.RATER, Roles.DATA_ENGINEER})
  public Uni<SubmitRatingsResponse> submitRatings(SubmitRatingsRequest request) {
    var outcomes = submission.submit(request.getRatingsList(), Caller.of(identity));
    return Uni.createFrom()
        .item(SubmitRatingsResponse.newBuilder().addAllOutcomes(outcomes).build());
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.TRAINER)
  public Uni<CutSnapshotResponse> cutSnapshot(CutSnapshotRequest request) {
    var snapshot =
        snapshots.cut(
            Caller.of(identity).tenant(), RatingSubmission.datasetOrDefault(request.getDataset()));
    return Uni.createFrom().item(CutSnapshotResponse.newBuilder().setSnapshot(snapshot).build());
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<GetStatisticsResponse> getStatistics(GetStatisticsRequest request) {
    return Uni.createFrom()
        .item(submission.statistics(Caller.of(identity).tenant(), request.getDataset()));
  }
}
