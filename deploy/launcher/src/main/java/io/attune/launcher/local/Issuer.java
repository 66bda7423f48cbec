package io.attune.launcher.local;

/** Who vouches for callers of the platform: OpenID Connect at Keycloak's URLs. */
interface Issuer {

  /** The issuer's URL, which is also the claim {@code iss}. */
  String url();

  /** People's tokens. */
  Tokens tokens();

  /** The secret with which a service asks for its own tokens. */
  String secret(ServiceKind service);
}
