#!/bin/sh
# Prints the KeycloakRealmImport of a realm file, deploy/keycloak/attune-realm.json unless another is given:
#   k8s/realm.sh | kubectl apply -n attune -f -
# The operator imports a realm once; later changes are made in Keycloak.
set -eu
realm=${1:-$(dirname "$0")/../deploy/keycloak/attune-realm.json}
[ -r "$realm" ] || { echo "realm.sh: $realm cannot be read" >&2; exit 1; }

cat <<HEAD
apiVersion: k8s.keycloak.org/v2alpha1
kind: KeycloakRealmImport
metadata:
  name: attune
spec:
  keycloakCRName: keycloak
  placeholders:
HEAD
for service in ingestion reward serving training; do
  cat <<PLACEHOLDER
    ATTUNE_$(echo $service | tr '[:lower:]' '[:upper:]')_SECRET:
      secret:
        name: oidc-$service
        key: client-secret
PLACEHOLDER
done
# JSON is YAML: it only has to be indented.
echo "  realm:"
sed 's/^/    /' "$realm"
