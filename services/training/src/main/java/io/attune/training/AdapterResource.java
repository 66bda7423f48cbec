package io.attune.training;

import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.GetLineageRequest;
import io.attune.training.v1.ListAdaptersRequest;
import io.attune.training.v1.RollBackAdapterRequest;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;

/** Adapters over HTTP: the messages of the contract as JSON. */
@Path("/v1/adapters/{line}")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class AdapterResource {
  private final TrainingApi api;
  private final SecurityIdentity identity;

  @Inject
  public AdapterResource(TrainingApi api, SecurityIdentity identity) {
    this.api = api;
    this.identity = identity;
  }

  @GET
  @RolesAllowed(Roles.VIEWER)
  public String list(
      @PathParam("line") String line,
      @QueryParam("page_size") @DefaultValue("0") int pageSize,
      @QueryParam("page_token") @DefaultValue("") String pageToken) {
    return Messages.toJson(
        api.listAdapters(
            tenant(),
            ListAdaptersRequest.newBuilder()
                .setLine(line)
                .setPageSize(pageSize)
                .setPageToken(pageToken)
                .build()));
  }

  @GET
  @Path("/{version}/lineage")
  @RolesAllowed(Roles.VIEWER)
  public String lineage(
      @PathParam("line") String line,
      @PathParam("version") long version,
      @QueryParam("page_size") @DefaultValue("0") int pageSize,
      @QueryParam("page_token") @DefaultValue("") String pageToken) {
    return Messages.toJson(
        api.lineage(
            tenant(),
            GetLineageRequest.newBuilder()
                .setLine(line)
                .setVersion(version)
                .setPageSize(pageSize)
                .setPageToken(pageToken)
                .build()));
  }

  @POST
  @Path("/{version}/activate")
  @RolesAllowed(Roles.OPERATOR)
  public String rollBack(@PathParam("line") String line, @PathParam("version") long version) {
    return Messages.toJson(
        api.rollBack(
            tenant(),
            RollBackAdapterRequest.newBuilder().setLine(line).setVersion(version).build()));
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }
}
