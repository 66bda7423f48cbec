/**
 * The gate: a candidate is compared with the active version on held-out data, and released only if
 * it is better by a margin and surely so.
 */
package io.attune.training.release;
