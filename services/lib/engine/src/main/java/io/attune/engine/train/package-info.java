/**
 * The one training loop, and what it needs: a policy to train, data in order, checkpoints, metrics.
 *
 * <p>Invariant: step, seed and data determine everything that a step does, so that a run that was
 * interrupted and resumed ends with the same bytes.
 */
package io.attune.engine.train;
