package io.attune.platform.identity;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import java.util.Collection;
import org.eclipse.microprofile.jwt.JsonWebToken;

/** Which tenant a call is for: the token's, or the one that a service names for its caller. */
final class CallerTenants {

  private static final String ATTRIBUTE = "attune.tenant";

  private CallerTenants() {}

  /**
   * The identity of a call on behalf of somebody: a service acts for the tenant that its header
   * names. From anybody else the header means nothing.
   *
   * @param named the header's value; null where there is none
   * @throws PlatformException INVALID_ARGUMENT if a service names what is no tenant
   */
  static SecurityIdentity onBehalfOf(SecurityIdentity identity, String named) {
    if (named == null || identity.isAnonymous() || !identity.hasRole(Roles.SERVICE)) {
      return identity;
    }
    return QuarkusSecurityIdentity.builder(identity)
        .addAttribute(ATTRIBUTE, new Tenant(named))
        .build();
  }

  /**
   * The tenant of a call.
   *
   * @throws PlatformException PERMISSION_DENIED if the token belongs to none, or to several
   */
  static Tenant of(SecurityIdentity identity) {
    if (identity.getAttribute(ATTRIBUTE) instanceof Tenant named) {
      return named;
    }
    Object claim =
        identity.getPrincipal() instanceof JsonWebToken token ? token.getClaim(Tenant.CLAIM) : null;
    String name = single(claim);
    if (name == null) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_PERMISSION_DENIED,
          "The token belongs to no tenant, or to several: its claim tenant must name one.");
    }
    return new Tenant(name);
  }

  /** The text of a claim, also in a list of one, as Keycloak's organizations give it. */
  private static String single(Object claim) {
    if (claim instanceof Collection<?> several) {
      return several.size() == 1 ? single(several.iterator().next()) : null;
    }
    if (claim instanceof jakarta.json.JsonString text) {
      return text.getString();
    }
    return claim instanceof String text && !text.isEmpty() ? text : null;
  }
}
