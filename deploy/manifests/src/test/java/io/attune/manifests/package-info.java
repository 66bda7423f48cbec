/**
 * What k8s/ holds is checked here: that it renders, that every document is valid, that every
 * workload keeps the rules of {@code policy}, and that the names in it are names in the code.
 */
package io.attune.manifests;
