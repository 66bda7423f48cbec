package io.attune.platform.identity;

import io.quarkus.security.identity.SecurityIdentity;
import java.util.Set;

/**
 * Who calls, from the token alone.
 *
 * @param subject the token's {@code sub}
 * @param roles the token's roles on this platform
 * @param tenant whose things the call is about; those of others do not exist for it
 */
public record Caller(String subject, Set<String> roles, Tenant tenant) {

  /**
   * The caller of a call that passed the door, whose token therefore was valid.
   *
   * @throws io.attune.platform.error.PlatformException PERMISSION_DENIED if the token belongs to no
   *     tenant
   */
  public static Caller of(SecurityIdentity identity) {
    if (identity.isAnonymous()) {
      throw new IllegalStateException("a call without a token must have been refused before");
    }
    return new Caller(
        identity.getPrincipal().getName(),
        Set.copyOf(identity.getRoles()),
        CallerTenants.of(identity));
  }

  public boolean has(String role) {
    return roles.contains(role);
  }
}
