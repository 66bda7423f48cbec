package io.attune.platform.identity;

import io.quarkus.security.identity.SecurityIdentity;
import java.util.Set;

/**
 * Who calls, from the token alone.
 *
 * @param subject the token's {@code sub}
 * @param roles the token's roles on this platform
 */
public record Caller(String subject, Set<String> roles) {

  /** The caller of a call that passed the door, whose token therefore was valid. */
  public static Caller of(SecurityIdentity identity) {
    if (identity.isAnonymous()) {
      throw new IllegalStateException("a call without a token must have been refused before");
    }
    return new Caller(identity.getPrincipal().getName(), Set.copyOf(identity.getRoles()));
  }

  public boolean has(String role) {
    return roles.contains(role);
  }
}
