package io.attune.platform.database;

import io.attune.platform.identity.Tenant;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.HandleCallback;
import org.jdbi.v3.core.HandleConsumer;
import org.jdbi.v3.core.Jdbi;

/**
 * The one door to the database. Every transaction says whose rows it is about, and PostgreSQL shows
 * and takes no others: the policies of row-level security compare a row's tenant with the setting
 * {@code attune.tenant}, which is made here and ends with the transaction. A transaction that names
 * nobody sees nothing.
 */
public final class TenantTransactions {

  private static final Logger LOG = Logger.getLogger(TenantTransactions.class);

  private static final String SET =
      """
      SELECT set_config('attune.tenant', ?, true) AS tenant,
        set_config('attune.all_tenants', ?, true) AS all_tenants
      """;

  private final Jdbi jdbi;

  public TenantTransactions(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** Runs in a transaction that sees and writes this tenant's rows and nobody else's. */
  public <R, X extends Exception> R inTenant(Tenant tenant, HandleCallback<R, X> work) throws X {
    return jdbi.inTransaction(transaction -> work.withHandle(enter(transaction, tenant)));
  }

  /** As {@link #inTenant}, for work without a result. */
  public <X extends Exception> void useTenant(Tenant tenant, HandleConsumer<X> work) throws X {
    jdbi.useTransaction(transaction -> work.useHandle(enter(transaction, tenant)));
  }

  /**
   * Runs in a transaction that sees and deletes the rows of all tenants, and writes none: for the
   * platform's own work, which goes on tenant by tenant from what it finds.
   *
   * @param purpose what for, in words, for the log
   */
  public <R, X extends Exception> R acrossTenants(String purpose, HandleCallback<R, X> work)
      throws X {
    return jdbi.inTransaction(
        transaction -> {
          LOG.tracef("transaction across tenants: %s", purpose);
          set(transaction, "", "on");
          return work.withHandle(transaction);
        });
  }

  /** Runs in a transaction that sees no tenant's rows, until it {@linkplain #enter enters} one. */
  public <R, X extends Exception> R inNone(HandleCallback<R, X> work) throws X {
    return jdbi.inTransaction(work);
  }

  /** A connection that sees no tenant's rows, for locks that are held for long; to be closed. */
  public Handle openInNone() {
    return jdbi.open();
  }

  /**
   * Makes the rest of a transaction about a tenant: for what is one transaction although it is
   * about several, as the effects of a batch are.
   *
   * @return the transaction
   */
  public static Handle enter(Handle transaction, Tenant tenant) {
    if (!transaction.isInTransaction()) {
      throw new IllegalStateException("a tenant is entered for a transaction, and there is none");
    }
    set(transaction, tenant.name(), "off");
    return transaction;
  }

  private static void set(Handle transaction, String tenant, String all) {
    transaction.createQuery(SET).bind(0, tenant).bind(1, all).mapToMap().one();
  }
}
