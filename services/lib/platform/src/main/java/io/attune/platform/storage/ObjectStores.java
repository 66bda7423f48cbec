package io.attune.platform.storage;

import io.attune.platform.identity.Tenant;

/** The object storage of each tenant, from which nothing of another one's can be reached. */
public interface ObjectStores {

  /** The tenant's. */
  ObjectStore of(Tenant tenant);
}
