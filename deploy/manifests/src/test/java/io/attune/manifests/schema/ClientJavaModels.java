package io.attune.manifests.schema;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.attune.manifests.Manifest;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1CronJob;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1Namespace;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PersistentVolumeClaim;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Role;
import io.kubernetes.client.openapi.models.V1RoleBinding;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import io.kubernetes.client.openapi.models.V2HorizontalPodAutoscaler;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * The official Java client's models, generated from the API server's OpenAPI, with their checks.
 */
final class ClientJavaModels implements Schema {
  private interface Check {
    void run(JsonElement json) throws IOException;
  }

  private static final Map<String, Check> CHECKS =
      Map.ofEntries(
          Map.entry("v1/ConfigMap", V1ConfigMap::validateJsonElement),
          Map.entry("v1/Namespace", V1Namespace::validateJsonElement),
          Map.entry("v1/PersistentVolumeClaim", V1PersistentVolumeClaim::validateJsonElement),
          Map.entry("v1/Service", V1Service::validateJsonElement),
          Map.entry("v1/ServiceAccount", V1ServiceAccount::validateJsonElement),
          Map.entry("apps/v1/Deployment", V1Deployment::validateJsonElement),
          Map.entry("apps/v1/StatefulSet", V1StatefulSet::validateJsonElement),
          Map.entry(
              "autoscaling/v2/HorizontalPodAutoscaler",
              V2HorizontalPodAutoscaler::validateJsonElement),
          Map.entry("batch/v1/CronJob", V1CronJob::validateJsonElement),
          Map.entry("networking.k8s.io/v1/NetworkPolicy", V1NetworkPolicy::validateJsonElement),
          Map.entry("policy/v1/PodDisruptionBudget", V1PodDisruptionBudget::validateJsonElement),
          Map.entry("rbac.authorization.k8s.io/v1/Role", V1Role::validateJsonElement),
          Map.entry(
              "rbac.authorization.k8s.io/v1/RoleBinding", V1RoleBinding::validateJsonElement));

  @Override
  public boolean knows(Manifest manifest) {
    return CHECKS.containsKey(key(manifest));
  }

  @Override
  public List<String> problems(Manifest manifest) {
    try {
      CHECKS.get(key(manifest)).run(JsonParser.parseString(manifest.json().toString()));
      return List.of();
    } catch (IllegalArgumentException | IOException e) {
      return List.of(e.getMessage());
    }
  }

  private static String key(Manifest manifest) {
    return manifest.apiVersion() + "/" + manifest.kind();
  }
}
