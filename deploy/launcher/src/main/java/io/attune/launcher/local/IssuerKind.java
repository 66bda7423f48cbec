package io.attune.launcher.local;

/** Who issues tokens on this machine. */
public enum IssuerKind {
  /** The launcher itself: starts at once. */
  BUILT_IN,
  /** A real Keycloak, with the realm that clusters have. */
  KEYCLOAK
}
