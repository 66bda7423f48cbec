package io.attune.training.schedule;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.Loggable;
import io.attune.training.TrainingConfig;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.JobStore;
import io.attune.training.worker.JobFolder;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Folders of jobs that ended, or went on to the gate, when no service was there to delete them. A
 * failed job's folder is not one of these: it stays, for its log.
 */
@ApplicationScoped
public class AbandonedFolders {
  private static final Logger LOG = Logger.getLogger(AbandonedFolders.class);

  private final TenantTransactions transactions;
  private final JobStore store;
  private final Path root;

  @Inject
  AbandonedFolders(TenantTransactions transactions, JobStore store, TrainingConfig config) {
    this.transactions = transactions;
    this.store = store;
    this.root = config.folder().toAbsolutePath();
  }

  /** Finds them. Whatever is no folder of a job in this database is somebody else's. */
  public List<JobFolder> find() {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(root)) {
      List<Path> all = folders.toList();
      return transactions.acrossTenants(
          "abandoned folders",
          handle ->
              all.stream()
                  .filter(
                      folder ->
                          id(folder)
                              .flatMap(id -> store.find(handle, id))
                              .filter(AbandonedFolders::needsNone)
                              .isPresent())
                  .map(JobFolder::new)
                  .toList());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot look for folders of jobs in " + root, e);
    }
  }

  private static Optional<UUID> id(Path folder) {
    try {
      return Optional.of(UUID.fromString(folder.getFileName().toString()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static boolean needsNone(Job job) {
    return job.state() instanceof JobState.Evaluating
        || (job.isFinal() && !(job.state() instanceof JobState.Failed));
  }

  /** Deletes one, as soon as no worker of a service before this one writes there any more. */
  public void delete(JobFolder folder) {
    try {
      folder.alone(folder::delete);
      LOG.infof("deleted an abandoned folder: %s", folder.root());
    } catch (IOException | UncheckedIOException e) {
      LOG.warnf(
          Loggable.of(e), "an abandoned folder stays until the next start: %s", folder.root());
    }
  }
}
