package io.attune.launcher.local;

import io.attune.platform.identity.Roles;
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
   * A token for all services, valid as long as the issuer's tokens are.
   *
   * @throws LauncherException for a role that does not exist, or when the issuer does not answer
   */
  String mint(String subject, Collection<String> roles);

  /**
   * A token that is valid for a time of the asker's choice.
   *
   * @throws LauncherException also when the issuer leaves nobody that choice
   */
  String mint(String subject, Collection<String> roles, Duration validity);

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
