/** Immutable files of ratings, named by their content. */
package io.attune.ingestion.snapshot;
