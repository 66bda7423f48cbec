package io.attune.training.rollout;

import io.attune.common.v1.Artifact;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.training.v1.RolloutScored;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jboss.logging.Logger;

/**
 * Deletes what rounds leave behind in object storage and in the database, so that a job needs the
 * room of two rounds however many it has. No two rounds share a file.
 */
@ApplicationScoped
public class SpentRounds {
  private static final Logger LOG = Logger.getLogger(SpentRounds.class);

  private final TenantTransactions transactions;
  private final RoundStore store;
  private final ObjectStores objects;

  @Inject
  public SpentRounds(TenantTransactions transactions, RoundStore store, ObjectStores objects) {
    this.transactions = transactions;
    this.store = store;
    this.objects = objects;
  }

  /**
   * Deletes policies, tokens and chunks of a job's rounds before one. The rows go last: they name
   * what is left to delete after a crash.
   */
  void delete(Tenant tenant, UUID job, int round) {
    List<RoundChunk> chunks =
        transactions.inTenant(tenant, handle -> store.before(handle, job, round));
    Set<Artifact> files = new HashSet<>();
    for (RoundChunk chunk : chunks) {
      files.add(chunk.request().getArtifact());
      chunk.scored().map(RolloutScored::getTokens).ifPresent(files::add);
    }
    boolean all = true;
    for (Artifact file : files) {
      all &= delete(tenant, file);
    }
    if (all && !chunks.isEmpty()) {
      transactions.useTenant(tenant, handle -> store.forget(handle, job, round));
    }
  }

  /** Deletes a file that nobody needs; false where that is to be tried again. Fails nothing. */
  public boolean delete(Tenant tenant, Artifact file) {
    try {
      objects.of(tenant).delete(file);
      return true;
    } catch (PlatformException e) {
      LOG.warnf("a file of a round stays: %s", e.getMessage());
      return !ErrorCodes.retryable(e.code());
    }
  }
}
