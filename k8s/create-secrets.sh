#!/bin/sh
# Makes the secrets that no operator makes, with random values, in the namespace of kubectl's context or in
# the one that is given: ./create-secrets.sh attune. What is there already stays as it is.
set -eu
namespace=${1:-attune}

random() {
  openssl rand -hex 32
}

create() {
  name=$1
  shift
  if kubectl -n "$namespace" get secret "$name" >/dev/null 2>&1; then
    echo "secret $name is there already"
  else
    kubectl -n "$namespace" create secret generic "$name" "$@"
  fi
}

kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace"

# What each service proves itself with at the issuer; the realm import reads the same.
create oidc-ingestion --from-literal=client-secret="$(random)"
create oidc-reward --from-literal=client-secret="$(random)"
create oidc-serving --from-literal=client-secret="$(random)"
create oidc-training --from-literal=client-secret="$(random)"

# Roles of PostgreSQL.
create postgres-ingestion --type=kubernetes.io/basic-auth --from-literal=username=ingestion --from-literal=password="$(random)"
create postgres-keycloak --type=kubernetes.io/basic-auth --from-literal=username=keycloak --from-literal=password="$(random)"
create postgres-training --type=kubernetes.io/basic-auth --from-literal=username=training --from-literal=password="$(random)"

# Else CloudNativePG does not notice that a password was changed.
kubectl -n "$namespace" label --overwrite secret postgres-ingestion postgres-keycloak postgres-training cnpg.io/reload=true
