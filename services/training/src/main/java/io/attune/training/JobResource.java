package io.attune.training;

import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.CancelTrainingJobRequest;
import io.attune.training.v1.CreateTrainingJobRequest;
import io.attune.training.v1.GetTrainingJobRequest;
import io.attune.training.v1.ListTrainingJobsRequest;
import io.attune.training.v1.WatchTrainingJobRequest;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;

/**
 * Training jobs over HTTP: the messages of the contract as JSON. A watch is a stream of server-sent
 * events that ends with the job.
 */
@Path("/v1/training/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class JobResource {
  private final TrainingApi api;
  private final SecurityIdentity identity;

  @Inject
  public JobResource(TrainingApi api, SecurityIdentity identity) {
    this.api = api;
    this.identity = identity;
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  @RolesAllowed(Roles.TRAINER)
  public String create(String body) {
    CreateTrainingJobRequest request =
        Messages.fromJson(body, CreateTrainingJobRequest.newBuilder()).build();
    return Messages.toJson(api.create(request, Caller.of(identity)).getJob());
  }

  @GET
  @RolesAllowed(Roles.VIEWER)
  public String list(
      @QueryParam("line") @DefaultValue("") String line,
      @QueryParam("page_size") @DefaultValue("0") int pageSize,
      @QueryParam("page_token") @DefaultValue("") String pageToken) {
    return Messages.toJson(
        api.list(
            tenant(),
            ListTrainingJobsRequest.newBuilder()
                .setLine(line)
                .setPageSize(pageSize)
                .setPageToken(pageToken)
                .build()));
  }

  @GET
  @Path("/{id}")
  @RolesAllowed(Roles.VIEWER)
  public String get(@PathParam("id") String id) {
    return Messages.toJson(
        api.get(tenant(), GetTrainingJobRequest.newBuilder().setId(id).build()).getJob());
  }

  @GET
  @Path("/{id}/watch")
  @Produces(MediaType.SERVER_SENT_EVENTS)
  @RolesAllowed(Roles.VIEWER)
  public Multi<String> watch(@PathParam("id") String id) {
    return api.watch(tenant(), WatchTrainingJobRequest.newBuilder().setId(id).build())
        .map(Messages::toJson);
  }

  @POST
  @Path("/{id}/cancel")
  @RolesAllowed(Roles.TRAINER)
  public String cancel(@PathParam("id") String id) {
    return Messages.toJson(
        api.cancel(tenant(), CancelTrainingJobRequest.newBuilder().setId(id).build()).getJob());
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }
}
