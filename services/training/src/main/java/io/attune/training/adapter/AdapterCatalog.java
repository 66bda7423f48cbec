package io.attune.training.adapter;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.ListAdaptersResponse;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;

/** Lists the adapters of a line. */
@ApplicationScoped
public class AdapterCatalog {
  private final TenantTransactions transactions;
  private final AdapterStore store;

  @Inject
  public AdapterCatalog(TenantTransactions transactions, AdapterStore store) {
    this.transactions = transactions;
    this.store = store;
  }

  /**
   * A page of a line's adapters, newest first.
   *
   * @param below versions from here on are left out
   * @throws PlatformException NOT_FOUND when there is no such line
   */
  public ListAdaptersResponse list(Tenant tenant, String line, long below, int size) {
    return transactions.inTenant(
        tenant,
        handle -> {
          AdapterStore.Line found =
              store
                  .findLine(handle, line)
                  .orElseThrow(
                      () ->
                          new PlatformException(
                              ErrorCode.ERROR_CODE_NOT_FOUND,
                              "There is no adapter line " + line + "."));
          List<Adapter> adapters = store.list(handle, line, below, size + 1);
          List<Adapter> page = adapters.subList(0, Math.min(size, adapters.size()));
          ListAdaptersResponse.Builder response =
              ListAdaptersResponse.newBuilder().addAllAdapters(page);
          store
              .find(handle, line, found.activeVersion())
              .ifPresent(active -> response.setActive(active.getVersion()));
          if (adapters.size() > size) {
            response.setNextPageToken(Long.toString(page.get(size - 1).getVersion().getVersion()));
          }
          return response.build();
        });
  }
}
