package io.attune.ingestion;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.attune.feedback.v1.Snapshot;
import io.attune.ingestion.rating.RatingSubmission;
import io.attune.ingestion.snapshot.SnapshotCutter;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.Instant;
import java.util.List;

/** Data set snapshots in HTTP. */
@Path("/v1/snapshots")
@Produces(MediaType.APPLICATION_JSON)
public class SnapshotResource {

  private static final int PAGE = 100;

  private final SnapshotCutter snapshots;
  private final SecurityIdentity identity;

  SnapshotResource(SnapshotCutter snapshots, SecurityIdentity identity) {
    this.snapshots = snapshots;
    this.identity = identity;
  }

  /** What to cut; "default" when no data set is named. */
  public record CutRequest(String dataset) {}

  /** A snapshot. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record View(
      String id,
      String dataset,
      String uri,
      String sha256,
      long sizeBytes,
      long ratings,
      long heldOutRatings,
      String cutTime) {

    static View of(Snapshot snapshot) {
      var cut = snapshot.getCutTime();
      return new View(
          snapshot.getId(),
          snapshot.getDataset(),
          snapshot.getFile().getUri(),
          snapshot.getFile().getSha256(),
          snapshot.getFile().getSizeBytes(),
          snapshot.getRatings(),
          snapshot.getHeldOutRatings(),
          Instant.ofEpochSecond(cut.getSeconds(), cut.getNanos()).toString());
    }
  }

  /** Snapshots, newest first. */
  public record Page(List<View> snapshots) {}

  /** Cuts a snapshot, or finds the equal one. */
  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  @RolesAllowed(Roles.TRAINER)
  public View cut(CutRequest request) {
    String dataset = request == null ? null : request.dataset();
    return View.of(snapshots.cut(tenant(), RatingSubmission.datasetOrDefault(dataset)));
  }

  /** The hundred newest of a data set; of "default" when none is named. */
  @GET
  @RolesAllowed(Roles.VIEWER)
  public Page list(@QueryParam("dataset") String dataset) {
    var newest = snapshots.list(tenant(), RatingSubmission.datasetOrDefault(dataset), PAGE);
    return new Page(newest.stream().map(View::of).toList());
  }

  /** One snapshot. */
  @GET
  @Path("/{id}")
  @RolesAllowed(Roles.VIEWER)
  public View get(@PathParam("id") String id) {
    return View.of(snapshots.get(tenant(), id));
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }
}
