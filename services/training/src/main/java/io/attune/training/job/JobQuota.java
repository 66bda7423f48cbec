package io.attune.training.job;

import io.attune.platform.identity.Tenant;
import io.attune.platform.quota.QuotaConfig.Limits;
import io.attune.platform.quota.Quotas;
import io.attune.training.adapter.AdapterStore;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.jdbi.v3.core.Handle;

/**
 * How many jobs and adapters a tenant may have. Adapters are counted before the job that makes one,
 * not after hours of training.
 */
@ApplicationScoped
public class JobQuota {
  private final Quotas quotas;
  private final JobStore jobs;
  private final AdapterStore adapters;

  @Inject
  public JobQuota(Quotas quotas, JobStore jobs, AdapterStore adapters) {
    this.quotas = quotas;
    this.jobs = jobs;
    this.adapters = adapters;
  }

  /**
   * @param handle a transaction of the tenant
   * @throws io.attune.platform.error.PlatformException QUOTA_EXCEEDED if there is no room for
   *     another job, or for what it would make
   */
  void require(Tenant tenant, Handle handle) {
    if (quotas.limit(tenant, Limits::openJobs).isPresent()) {
      quotas.requireRoom(tenant, Limits::openJobs, jobs.countOpen(handle), "open jobs");
    }
    if (quotas.limit(tenant, Limits::adapters).isPresent()) {
      quotas.requireRoom(tenant, Limits::adapters, adapters.count(handle), "adapters");
    }
  }
}
