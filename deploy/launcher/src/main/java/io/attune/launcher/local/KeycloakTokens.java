package io.attune.launcher.local;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Tokens of Keycloak for local users. A user is made when first named, in the group of the tenant,
 * and has the roles that were asked for last.
 */
final class KeycloakTokens implements Tokens {
  private static final String REALM = "/admin/realms/attune";
  private static final String SCOPE =
      Arrays.stream(ServiceKind.values()).map(ServiceKind::id).collect(Collectors.joining(" "));

  private final String issuer;
  private final KeycloakApi api;
  private final KeycloakSecrets secrets;

  private KeycloakTokens(String issuer, KeycloakApi api, KeycloakSecrets secrets) {
    this.issuer = issuer;
    this.api = api;
    this.secrets = secrets;
  }

  static KeycloakTokens of(String issuer, KeycloakSecrets secrets) {
    return new KeycloakTokens(
        issuer, new KeycloakApi(URI.create(issuer).resolve("/"), secrets.admin()), secrets);
  }

  @Override
  public String issuer() {
    return issuer;
  }

  @Override
  public String mint(Tenant tenant, String subject, Collection<String> roles, Duration validity) {
    throw new LauncherException(
        "Keycloak's realm says how long its tokens are valid (five minutes): leave --valid out");
  }

  @Override
  public String mint(Tenant tenant, String subject, Collection<String> roles) {
    Tokens.requireRoles(roles);
    // A user has one tenant; people of the same name in two are two users.
    String name = tenant.isDefault() ? subject : tenant + "." + subject;
    KeycloakApi.Session admin = api.login();
    String client = admin.get(REALM + "/clients?clientId=attune").get(0).get("id").textValue();
    setRoles(admin, REALM + "/users/" + user(admin, tenant, name), client, new HashSet<>(roles));
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "password");
    form.put("client_id", KeycloakRealm.LOCAL_CLIENT);
    form.put("client_secret", secrets.localClient());
    form.put("username", name);
    form.put("password", secrets.people());
    form.put("scope", SCOPE);
    return api.token("attune", form);
  }

  private String user(KeycloakApi.Session admin, Tenant tenant, String name) {
    String query = REALM + "/users?exact=true&username=" + KeycloakApi.encode(name);
    JsonNode found = admin.get(query);
    if (found.isEmpty()) {
      makeGroup(admin, tenant);
      admin.post(
          REALM + "/users",
          Map.of(
              "username",
              name,
              "enabled",
              true,
              "firstName",
              name,
              "lastName",
              "Local",
              "email",
              KeycloakApi.encode(name) + "@attune.invalid",
              "emailVerified",
              true,
              "groups",
              List.of("/tenants/" + tenant),
              "credentials",
              List.of(Map.of("type", "password", "value", secrets.people(), "temporary", false))));
      found = admin.get(query);
    }
    return found.get(0).get("id").textValue();
  }

  /** The group whose attribute becomes the claim, unless it is there. */
  private static void makeGroup(KeycloakApi.Session admin, Tenant tenant) {
    String children =
        REALM
            + "/groups/"
            + admin.get(REALM + "/group-by-path/tenants").get("id").textValue()
            + "/children";
    if (admin.get(children + "?exact=true&search=" + tenant).isEmpty()) {
      admin.post(
          children,
          Map.of(
              "name", tenant.name(), "attributes", Map.of(Tenant.CLAIM, List.of(tenant.name()))));
    }
  }

  private static void setRoles(
      KeycloakApi.Session admin, String user, String client, Set<String> wanted) {
    String mappings = user + "/role-mappings/clients/" + client;
    JsonNode held = admin.get(mappings);
    List<JsonNode> superfluous = roles(held, Roles.ALL, wanted);
    if (!superfluous.isEmpty()) {
      admin.delete(mappings, superfluous);
    }
    Set<String> names = new HashSet<>();
    held.forEach(role -> names.add(role.get("name").textValue()));
    List<JsonNode> missing = roles(admin.get(mappings + "/available"), wanted, names);
    if (!missing.isEmpty()) {
      admin.post(mappings, missing);
    }
  }

  private static List<JsonNode> roles(JsonNode among, Set<String> in, Set<String> notIn) {
    return among
        .valueStream()
        .filter(role -> in.contains(role.get("name").textValue()))
        .filter(role -> !notIn.contains(role.get("name").textValue()))
        .toList();
  }
}
