/**
 * Ratings from their bytes to their rows. Reading order: RatingReader, RatingRules, RatingIntake,
 * RatingStore.
 */
package io.attune.ingestion.rating;
