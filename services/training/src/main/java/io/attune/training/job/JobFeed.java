package io.attune.training.job;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.operators.multi.processors.UnicastProcessor;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Tells whoever watches a job of each of its changes, until it is final. */
@ApplicationScoped
public class JobFeed {
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();

  /**
   * Watches a job.
   *
   * @param now reads the job; called after the watcher is in place, so that no change is lost
   */
  public Multi<Job> watch(UUID id, Supplier<Job> now) {
    Watcher watcher = new Watcher(id);
    watchers.add(watcher);
    try {
      watcher.offer(now.get());
    } catch (RuntimeException e) {
      watchers.remove(watcher);
      throw e;
    }
    return watcher.jobs.onTermination().invoke(() -> watchers.remove(watcher));
  }

  void changed(Job job) {
    for (Watcher watcher : watchers) {
      if (watcher.id.equals(job.id())) {
        watcher.offer(job);
      }
    }
  }

  private static final class Watcher {
    private final UUID id;
    private final UnicastProcessor<Job> jobs = UnicastProcessor.create();
    private long seen;

    private Watcher(UUID id) {
      this.id = id;
    }

    private synchronized void offer(Job job) {
      if (job.revision() <= seen) {
        return;
      }
      seen = job.revision();
      jobs.onNext(job);
      if (job.isFinal()) {
        jobs.onComplete();
      }
    }
  }
}
