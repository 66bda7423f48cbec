package io.attune.training;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Tenant;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.Lineage;
import io.attune.training.job.Job;
import io.attune.training.job.JobMessages;
import io.attune.training.job.Jobs;
import io.attune.training.v1.CancelTrainingJobRequest;
import io.attune.training.v1.CancelTrainingJobResponse;
import io.attune.training.v1.CreateTrainingJobRequest;
import io.attune.training.v1.CreateTrainingJobResponse;
import io.attune.training.v1.GetLineageRequest;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.GetTrainingJobRequest;
import io.attune.training.v1.GetTrainingJobResponse;
import io.attune.training.v1.ListAdaptersRequest;
import io.attune.training.v1.ListAdaptersResponse;
import io.attune.training.v1.ListTrainingJobsRequest;
import io.attune.training.v1.ListTrainingJobsResponse;
import io.attune.training.v1.RollBackAdapterRequest;
import io.attune.training.v1.RollBackAdapterResponse;
import io.attune.training.v1.TrainingJob;
import io.attune.training.v1.WatchTrainingJobRequest;
import io.smallrye.mutiny.Multi;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What gRPC and REST both offer; they differ in how a call arrives and who may make it. */
@ApplicationScoped
public class TrainingApi {
  private static final int DEFAULT_PAGE = 50;
  private static final int LARGEST_PAGE = 200;
  private static final int DEFAULT_RATINGS = 1_000;
  private static final int MOST_RATINGS = 10_000;

  private final Jobs jobs;
  private final AdapterCatalog catalog;
  private final AdapterLines lines;
  private final Lineage lineage;

  @Inject
  public TrainingApi(Jobs jobs, AdapterCatalog catalog, AdapterLines lines, Lineage lineage) {
    this.jobs = jobs;
    this.catalog = catalog;
    this.lines = lines;
    this.lineage = lineage;
  }

  CreateTrainingJobResponse create(CreateTrainingJobRequest request, Caller caller) {
    Job job =
        jobs.create(caller.tenant(), request.getRequestId(), request.getSpec(), caller.subject());
    return CreateTrainingJobResponse.newBuilder().setJob(JobMessages.toMessage(job)).build();
  }

  GetTrainingJobResponse get(Tenant tenant, GetTrainingJobRequest request) {
    return GetTrainingJobResponse.newBuilder()
        .setJob(JobMessages.toMessage(jobs.get(tenant, request.getId())))
        .build();
  }

  ListTrainingJobsResponse list(Tenant tenant, ListTrainingJobsRequest request) {
    int size = pageSize(request.getPageSize(), DEFAULT_PAGE, LARGEST_PAGE);
    Optional<UUID> before = Optional.empty();
    if (!request.getPageToken().isEmpty()) {
      before = Optional.of(uuidToken(request.getPageToken()));
    }
    List<Job> found = jobs.list(tenant, request.getLine(), before, size + 1);
    List<Job> page = found.subList(0, Math.min(size, found.size()));
    ListTrainingJobsResponse.Builder response = ListTrainingJobsResponse.newBuilder();
    page.forEach(job -> response.addJobs(JobMessages.toMessage(job)));
    if (found.size() > size) {
      response.setNextPageToken(page.get(size - 1).id().toString());
    }
    return response.build();
  }

  Multi<TrainingJob> watch(Tenant tenant, WatchTrainingJobRequest request) {
    return jobs.watch(tenant, request.getId()).map(JobMessages::toMessage);
  }

  CancelTrainingJobResponse cancel(Tenant tenant, CancelTrainingJobRequest request) {
    return CancelTrainingJobResponse.newBuilder()
        .setJob(JobMessages.toMessage(jobs.cancel(tenant, request.getId())))
        .build();
  }

  ListAdaptersResponse listAdapters(Tenant tenant, ListAdaptersRequest request) {
    int size = pageSize(request.getPageSize(), DEFAULT_PAGE, LARGEST_PAGE);
    long below =
        request.getPageToken().isEmpty() ? Long.MAX_VALUE : numberToken(request.getPageToken());
    return catalog.list(tenant, request.getLine(), below, size);
  }

  GetLineageResponse lineage(Tenant tenant, GetLineageRequest request) {
    int size = pageSize(request.getPageSize(), DEFAULT_RATINGS, MOST_RATINGS);
    long from = request.getPageToken().isEmpty() ? 0 : numberToken(request.getPageToken());
    return lineage.get(tenant, request.getLine(), request.getVersion(), from, size);
  }

  RollBackAdapterResponse rollBack(Tenant tenant, RollBackAdapterRequest request) {
    return RollBackAdapterResponse.newBuilder()
        .setActive(lines.rollBack(tenant, request.getLine(), request.getVersion()))
        .build();
  }

  private static int pageSize(int asked, int usual, int most) {
    if (asked < 0 || asked > most) {
      throw invalid("`page_size` must be from 1 to " + most + ", or 0 for " + usual + ".");
    }
    return asked == 0 ? usual : asked;
  }

  private static UUID uuidToken(String token) {
    try {
      return UUID.fromString(token);
    } catch (IllegalArgumentException e) {
      throw unknownToken();
    }
  }

  private static long numberToken(String token) {
    try {
      return Long.parseLong(token);
    } catch (NumberFormatException e) {
      throw unknownToken();
    }
  }

  private static PlatformException unknownToken() {
    return invalid("`page_token` is not one that a page before this one gave.");
  }

  private static PlatformException invalid(String message) {
    return new PlatformException(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, message);
  }
}
