package io.attune.launcher.local;

import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.TreeSet;

/** Access tokens for the people who use the platform on this machine. */
public interface Tokens {

  /** The issuer's URL, which is also the claim {@code iss}. */
  String issuer();

  /**
   * A token for all services of somebody of a tenant, valid as long as the issuer's tokens are.
   *
   * @throws LauncherException for a role that does not exist, or when the issuer does not answer
   */
  String mint(Tenant tenant, String subject, Collection<String> roles);

  /** Of somebody of the default tenant. */
  default String mint(String subject, Collection<String> roles) {
    return mint(Tenant.DEFAULT, subject, roles);
  }

  /**
   * A token that is valid for a time of the asker's choice.
   *
   * @throws LauncherException also when the issuer leaves nobody that choice
   */
  String mint(Tenant tenant, String subject, Collection<String> roles, Duration validity);

  /** Of somebody of the default tenant. */
  default String mint(String subject, Collection<String> roles, Duration validity) {
    return mint(Tenant.DEFAULT, subject, roles, validity);
  }

  /**
   * Of the issuer that a data folder's platform has, or had when it last ran.
   *
   * @throws LauncherException when no platform has run on the folder
   */
  static Tokens of(Path dataFolder) {
    IssuerFile issuer = IssuerFile.read(dataFolder);
    return switch (issuer.kind()) {
      case BUILT_IN ->
          new SignedTokens(
              SigningKey.loadOrCreate(LocalIssuer.keyFile(dataFolder.resolve("issuer"))),
              issuer.url(),
              Clock.systemUTC());
      case KEYCLOAK ->
          KeycloakTokens.of(issuer.url(), KeycloakSecrets.load(dataFolder.resolve("keycloak")));
    };
  }

  /** Refuses roles that the platform does not know. */
  static void requireRoles(Collection<String> roles) {
    for (String role : roles) {
      if (!Roles.ALL.contains(role)) {
        throw new LauncherException(
            "no such role: " + role + "; the roles are " + new TreeSet<>(Roles.ALL));
      }
    }
  }
}
