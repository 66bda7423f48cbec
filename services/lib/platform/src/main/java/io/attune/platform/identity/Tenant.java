package io.attune.platform.identity;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.util.regex.Pattern;

/**
 * Whose data, adapters, jobs, topics and files something is. What one tenant has does not exist for
 * another one.
 *
 * @param name a DNS label: 1 to 40 of a-z, 0-9 and '-', with a letter or digit at both ends, so
 *     that it can stand in names of topics, folders, groups and Kubernetes objects
 */
public record Tenant(String name) implements Comparable<Tenant> {

  /** First, since the tenant below is checked by it. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?");

  /** Whose everything is on a laptop, and what was there before there were tenants. */
  public static final Tenant DEFAULT = new Tenant("default");

  /** The header between services by which one acts for a tenant; believed from services alone. */
  public static final String HEADER = "attune-tenant";

  /** The claim of a token, and the attribute of the group that it comes from. */
  public static final String CLAIM = "tenant";

  /**
   * @throws PlatformException INVALID_ARGUMENT if it cannot be a tenant's name
   */
  public Tenant {
    if (!NAME.matcher(name).matches()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "A tenant's name must be 1 to 40 of a-z, 0-9 and '-', with a letter or digit at both"
              + " ends.");
    }
  }

  public boolean isDefault() {
    return equals(DEFAULT);
  }

  /**
   * A name that only one tenant gives, made one that no two share: {@code acme/assistant}. The
   * default tenant's names stay as they are.
   */
  public String qualify(String text) {
    return isDefault() ? text : name + "/" + text;
  }

  @Override
  public int compareTo(Tenant other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
