/**
 * Ratings stream in while every part of the platform dies again and again; then the books are
 * checked. Reading order: ChaosST, Storm, RatingFeed, Audit.
 */
package io.attune.acceptance.chaos;
