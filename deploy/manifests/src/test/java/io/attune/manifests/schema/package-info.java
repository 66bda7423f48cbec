/**
 * Every document against two independent libraries, either of which refuses what the other may
 * miss.
 */
package io.attune.manifests.schema;
