package io.attune.launcher.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.platform.identity.Roles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The realm that this machine's Keycloak imports at its first start: that of clusters, and a client
 * by which the launcher gets tokens for its local users.
 */
final class KeycloakRealm {
  static final String LOCAL_CLIENT = "attune-local";
  private static final String LOCAL_SECRET = "ATTUNE_LOCAL_SECRET";
  private static final ObjectMapper JSON = new ObjectMapper();

  private KeycloakRealm() {}

  /** Writes the realm's file, which names its secrets and holds none. */
  static void write(Path home, Path target) {
    Path source = home.resolve("deploy/keycloak/attune-realm.json");
    try {
      ObjectNode realm = (ObjectNode) JSON.readTree(Files.readAllBytes(source));
      ArrayNode clients = realm.withArray("clients");
      ObjectNode local = clients.addObject();
      local.put("clientId", LOCAL_CLIENT);
      local.put("description", "Takes passwords of local users; made by the launcher.");
      local.put("secret", "${" + LOCAL_SECRET + "}");
      local.put("standardFlowEnabled", false);
      local.put("directAccessGrantsEnabled", true);
      local.put("fullScopeAllowed", false);
      local.putArray("defaultClientScopes").add("basic").add("roles").add("tenant");
      ArrayNode optional = local.putArray("optionalClientScopes");
      for (ServiceKind service : ServiceKind.values()) {
        optional.add(service.id());
      }
      ObjectNode mapping = realm.withObject("/clientScopeMappings").withArray("attune").addObject();
      mapping.put("client", LOCAL_CLIENT);
      Roles.ALL.forEach(mapping.putArray("roles")::add);
      Secrets.write(target, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(realm));
    } catch (IOException e) {
      throw new LauncherException("the realm cannot be read from " + source, e);
    }
  }

  /** What takes the place of the names of secrets when the file is imported. */
  static Map<String, String> environment(KeycloakSecrets secrets) {
    Map<String, String> environment = new TreeMap<>();
    environment.put(LOCAL_SECRET, secrets.localClient());
    for (ServiceKind service : ServiceKind.values()) {
      environment.put("ATTUNE_" + service.name() + "_SECRET", secrets.service(service));
    }
    return environment;
  }
}
