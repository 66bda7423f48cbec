package io.attune.training;

import io.attune.platform.identity.Roles;
import io.attune.training.v1.AdapterService;
import io.attune.training.v1.GetLineageRequest;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.ListAdaptersRequest;
import io.attune.training.v1.ListAdaptersResponse;
import io.attune.training.v1.RollBackAdapterRequest;
import io.attune.training.v1.RollBackAdapterResponse;
import io.quarkus.grpc.GrpcService;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;

/** Adapters over gRPC. */
@GrpcService
public class AdapterGrpc implements AdapterService {
  private final TrainingApi api;

  @Inject
  public AdapterGrpc(TrainingApi api) {
    this.api = api;
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<ListAdaptersResponse> listAdapters(ListAdaptersRequest request) {
    return Uni.createFrom().item(api.listAdapters(request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<GetLineageResponse> getLineage(GetLineageRequest request) {
    return Uni.createFrom().item(api.lineage(request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.OPERATOR)
  public Uni<RollBackAdapterResponse> rollBackAdapter(RollBackAdapterRequest request) {
    return Uni.createFrom().item(api.rollBack(request));
  }
}
