#!/bin/sh
# Writes .env, which compose reads, with random secrets. One that is there stays.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then
  echo ".env is there already"
  exit 0
fi
umask 077
for name in POSTGRES_PASSWORD KEYCLOAK_ADMIN_PASSWORD \
  ATTUNE_SERVING_SECRET ATTUNE_INGESTION_SECRET ATTUNE_REWARD_SECRET ATTUNE_TRAINING_SECRET; do
  echo "$name=$(openssl rand -hex 32)"
done >.env
