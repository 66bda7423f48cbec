package io.attune.training.schedule;

import io.attune.platform.error.Loggable;
import io.attune.training.schedule.WorkerLauncher.RunningWorker;
import io.attune.training.worker.WorkerMessage;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * A job's process in a Kubernetes Job. It is a pod after the other, as the first one is preempted:
 * what each says is heard, from its first line, until the Job has ended or is gone.
 */
final class KubernetesWorker implements RunningWorker {
  /** The container of the template in which the process runs. */
  static final String CONTAINER = "worker";

  /** Set by Kubernetes on the pods of a Job. */
  static final String JOB_LABEL = "batch.kubernetes.io/job-name";

  private static final Logger LOG = Logger.getLogger(KubernetesWorker.class);
  private static final int UNKNOWN = -1;

  private final KubernetesClient cluster;
  private final String name;
  private final PodLog log;
  private final Semaphore changes = new Semaphore(0);
  private final CompletableFuture<Integer> status = new CompletableFuture<>();
  private final SharedIndexInformer<Job> jobs;
  private final SharedIndexInformer<Pod> pods;

  private KubernetesWorker(
      KubernetesClient cluster, String name, Path file, Consumer<WorkerMessage> listener) {
    this.cluster = cluster;
    this.name = name;
    this.log = new PodLog(cluster, CONTAINER, new MessageLines(listener, name), file);
    this.jobs = cluster.batch().v1().jobs().withName(name).inform(wake());
    this.pods = cluster.pods().withLabel(JOB_LABEL, name).inform(wake());
  }

  /**
   * Listens to a Job that is there.
   *
   * @param file takes what the process logs
   */
  static KubernetesWorker follow(
      KubernetesClient cluster, String name, Path file, Consumer<WorkerMessage> listener) {
    KubernetesWorker worker = new KubernetesWorker(cluster, name, file, listener);
    Thread thread = new Thread(worker::run, name);
    thread.setDaemon(true);
    thread.start();
    return worker;
  }

  /** Whether a Job is complete, or has failed for good. */
  static boolean hasEnded(Job job) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    Set.of("Complete", "Failed").contains(condition.getType())
                        && "True".equals(condition.getStatus()));
  }

  private <T> ResourceEventHandler<T> wake() {
    return new ResourceEventHandler<>() {
      @Override
      public void onAdd(T added) {
        changes.release();
      }

      @Override
      public void onUpdate(T before, T after) {
        changes.release();
      }

      @Override
      public void onDelete(T deleted, boolean finalStateUnknown) {
        changes.release();
      }
    };
  }

  private void run() {
    int last = UNKNOWN;
    try {
      Set<String> heard = new HashSet<>();
      for (Optional<Pod> pod = next(heard); pod.isPresent(); pod = next(heard)) {
        last = hear(pod.get());
        heard.add(pod.get().getMetadata().getUid());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      jobs.close();
      pods.close();
      status.complete(last);
    }
  }

  /** Waits for the next pod to be heard; empty when the Job has ended without one. */
  private Optional<Pod> next(Set<String> heard) throws InterruptedException {
    while (true) {
      try {
        boolean ended = jobs.getIndexer().list().stream().allMatch(KubernetesWorker::hasEnded);
        // What the informers know of the Job may be newer than what they know of its pods.
        Optional<Pod> pod = oldest(heard, ended ? podsNow() : pods.getIndexer().list());
        if (pod.isPresent() || ended) {
          return pod;
        }
        changes.acquire();
      } catch (KubernetesClientException e) {
        LOG.warnf("the pods of a worker cannot be listed now job=%s: %s", name, e.getMessage());
        pause();
      }
    }
  }

  /** The oldest pod that has begun and was not heard. */
  private static Optional<Pod> oldest(Set<String> heard, List<Pod> pods) {
    return pods.stream()
        .filter(pod -> !heard.contains(pod.getMetadata().getUid()))
        .filter(pod -> state(pod).isPresent())
        .min(Comparator.comparing(pod -> pod.getMetadata().getCreationTimestamp()));
  }

  /** Listens until the pod's process has ended; its exit status. */
  private int hear(Pod pod) throws InterruptedException {
    PodLog.Reading reading = log.of(pod.getMetadata().getName());
    while (true) {
      // In this order: what was said before the end is in the log at the end.
      Optional<Integer> ended = exitStatus(pod);
      reading.read();
      if (ended.isPresent()) {
        return ended.get();
      }
      // A stream can end before its process does: the API server closes those that live long.
      pause();
    }
  }

  /** Until something has changed, or a second. */
  private void pause() throws InterruptedException {
    boolean changed = changes.tryAcquire(1, TimeUnit.SECONDS);
    LOG.debugf("looking at a worker again job=%s changed=%s", name, changed);
  }

  private List<Pod> podsNow() {
    return cluster.pods().withLabel(JOB_LABEL, name).list().getItems();
  }

  /** The exit status of a pod's process; empty while it runs. */
  private Optional<Integer> exitStatus(Pod pod) {
    String uid = pod.getMetadata().getUid();
    Optional<Pod> now =
        pods.getIndexer().list().stream()
            .filter(one -> one.getMetadata().getUid().equals(uid))
            .findFirst();
    Optional<Integer> status =
        state(now.orElse(pod))
            .map(ContainerState::getTerminated)
            .map(terminated -> Optional.ofNullable(terminated.getExitCode()).orElse(UNKNOWN));
    return now.isEmpty() && status.isEmpty() ? Optional.of(UNKNOWN) : status;
  }

  /** The state of the process in a pod; empty before it begins. */
  private static Optional<ContainerState> state(Pod pod) {
    return Optional.ofNullable(pod.getStatus()).stream()
        .flatMap(found -> found.getContainerStatuses().stream())
        .filter(container -> CONTAINER.equals(container.getName()))
        .map(ContainerStatus::getState)
        .filter(Objects::nonNull)
        .filter(one -> one.getRunning() != null || one.getTerminated() != null)
        .findFirst();
  }

  @Override
  public int await() throws InterruptedException {
    try {
      return status.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the status is never completed by a failure", e);
    }
  }

  @Override
  public void stop(Duration grace) {
    try {
      cluster
          .batch()
          .v1()
          .jobs()
          .withName(name)
          .withPropagationPolicy(DeletionPropagation.FOREGROUND)
          .delete();
      status.get(grace.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warnf("a worker has not stopped in time and is killed job=%s", name);
      cluster.pods().withLabel(JOB_LABEL, name).withGracePeriod(0).delete();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the status is never completed by a failure", e);
    } catch (KubernetesClientException e) {
      LOG.warnf(Loggable.of(e), "a worker cannot be stopped now job=%s", name);
    }
  }

  @Override
  public String id() {
    return name;
  }
}
