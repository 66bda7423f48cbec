package io.attune.launcher.local;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Properties;

/**
 * The passwords and client secrets of a data folder's Keycloak: random, made at its first start,
 * readable by the folder's owner alone.
 */
final class KeycloakSecrets {
  private static final String FILE = "secrets.properties";
  private static final String ADMIN = "admin-password";
  private static final String PEOPLE = "people-password";
  private static final String LOCAL_CLIENT = "local-client-secret";

  private final Properties values;

  private KeycloakSecrets(Properties values) {
    this.values = values;
  }

  static KeycloakSecrets loadOrCreate(Path folder) {
    byte[] content = Secrets.readOrNull(folder.resolve(FILE));
    if (content != null) {
      return parse(content);
    }
    Properties made = new Properties();
    made.setProperty(ADMIN, Secrets.random());
    made.setProperty(PEOPLE, Secrets.random());
    made.setProperty(LOCAL_CLIENT, Secrets.random());
    for (ServiceKind service : ServiceKind.values()) {
      made.setProperty(service.clientId(), Secrets.random());
    }
    StringWriter text = new StringWriter();
    try {
      made.store(text, null);
    } catch (IOException e) {
      throw new LauncherException("cannot write the secrets of Keycloak", e);
    }
    Secrets.write(folder.resolve(FILE), text.toString().getBytes(StandardCharsets.UTF_8));
    return new KeycloakSecrets(made);
  }

  static KeycloakSecrets load(Path folder) {
    byte[] content = Secrets.readOrNull(folder.resolve(FILE));
    if (content == null) {
      throw new LauncherException(
          folder.resolve(FILE) + " is missing: start `./attune up --keycloak`, which makes it");
    }
    return parse(content);
  }

  private static KeycloakSecrets parse(byte[] content) {
    Properties values = new Properties();
    try {
      values.load(new StringReader(new String(content, StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new LauncherException("cannot read the secrets of Keycloak", e);
    }
    return new KeycloakSecrets(values);
  }

  /** Of the user "admin" of the realm "master". */
  String admin() {
    return get(ADMIN);
  }

  /** Of every user that the launcher makes. */
  String people() {
    return get(PEOPLE);
  }

  /** Of the client with which the launcher gets people's tokens. */
  String localClient() {
    return get(LOCAL_CLIENT);
  }

  String service(ServiceKind service) {
    return get(service.clientId());
  }

  private String get(String name) {
    String value = values.getProperty(name);
    if (value == null) {
      throw new LauncherException(
          "the secrets of Keycloak lack "
              + name
              + ": delete the folder keycloak in the data"
              + " folder and start again");
    }
    return value;
  }
}
