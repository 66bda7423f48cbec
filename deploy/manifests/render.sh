#!/bin/sh
# Renders every overlay of k8s/ into the files that the tests check, and notes from which inputs. Run it
# after each change in k8s/; it needs kubectl. The tests notice when it was forgotten, without kubectl.
set -eu
cd "$(dirname "$0")/../.."
rendered=deploy/manifests/src/test/resources/rendered
rm -f "$rendered"/*
for overlay in k8s/overlays/*/; do
  name=$(basename "$overlay")
  kubectl kustomize "$overlay" >"$rendered/$name.yaml"
done
# In the C locale, so that the order is the same everywhere.
find k8s \( -name '*.yaml' -o -name '*.json' \) -type f | LC_ALL=C sort | xargs sha256sum >"$rendered/inputs.sha256"
