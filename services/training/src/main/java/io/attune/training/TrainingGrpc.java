package io.attune.training;

import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.CancelTrainingJobRequest;
import io.attune.training.v1.CancelTrainingJobResponse;
import io.attune.training.v1.CreateTrainingJobRequest;
import io.attune.training.v1.CreateTrainingJobResponse;
import io.attune.training.v1.GetTrainingJobRequest;
import io.attune.training.v1.GetTrainingJobResponse;
import io.attune.training.v1.ListTrainingJobsRequest;
import io.attune.training.v1.ListTrainingJobsResponse;
import io.attune.training.v1.TrainingService;
import io.attune.training.v1.WatchTrainingJobRequest;
import io.attune.training.v1.WatchTrainingJobResponse;
import io.quarkus.grpc.GrpcService;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;

/** Training jobs over gRPC. */
@GrpcService
public class TrainingGrpc implements TrainingService {
  private final TrainingApi api;
  private final SecurityIdentity identity;

  @Inject
  public TrainingGrpc(TrainingApi api, SecurityIdentity identity) {
    this.api = api;
    this.identity = identity;
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.TRAINER)
  public Uni<CreateTrainingJobResponse> createTrainingJob(CreateTrainingJobRequest request) {
    return Uni.createFrom().item(api.create(request, Caller.of(identity)));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<GetTrainingJobResponse> getTrainingJob(GetTrainingJobRequest request) {
    return Uni.createFrom().item(api.get(tenant(), request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<ListTrainingJobsResponse> listTrainingJobs(ListTrainingJobsRequest request) {
    return Uni.createFrom().item(api.list(tenant(), request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Multi<WatchTrainingJobResponse> watchTrainingJob(WatchTrainingJobRequest request) {
    return api.watch(tenant(), request)
        .map(job -> WatchTrainingJobResponse.newBuilder().setJob(job).build());
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.TRAINER)
  public Uni<CancelTrainingJobResponse> cancelTrainingJob(CancelTrainingJobRequest request) {
    return Uni.createFrom().item(api.cancel(tenant(), request));
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }
}
