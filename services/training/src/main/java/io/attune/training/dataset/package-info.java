/**
 * Snapshots of ratings become rows of training. Pure: the same snapshot and objective always make
 * the same rows, and a held-out prompt is never among them.
 */
package io.attune.training.dataset;
