package io.attune.training;

import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.AdapterService;
import io.attune.training.v1.GetLineageRequest;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.ListAdaptersRequest;
import io.attune.training.v1.ListAdaptersResponse;
import io.attune.training.v1.RollBackAdapterRequest;
import io.attune.training.v1.RollBackAdapterResponse;
import io.quarkus.grpc.GrpcService;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;

/** Adapters over gRPC. */
@GrpcService
public class AdapterGrpc implements AdapterService {
  private final TrainingApi api;
  private final SecurityIdentity identity;

  @Inject
  public AdapterGrpc(TrainingApi api, SecurityIdentity identity) {
    this.api = api;
    this.identity = identity;
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<ListAdaptersResponse> listAdapters(ListAdaptersRequest request) {
    return Uni.createFrom().item(api.listAdapters(tenant(), request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.VIEWER)
  public Uni<GetLineageResponse> getLineage(GetLineageRequest request) {
    return Uni.createFrom().item(api.lineage(tenant(), request));
  }

  @Override
  @Blocking
  @RolesAllowed(Roles.OPERATOR)
  public Uni<RollBackAdapterResponse> rollBackAdapter(RollBackAdapterRequest request) {
    return Uni.createFrom().item(api.rollBack(tenant(), request));
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }
}
