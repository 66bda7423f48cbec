/**
 * Learning from what the policy itself writes: completions of prompts, their rewards, and the loop
 * of rollouts and updates.
 *
 * <p>Invariant: step, seed, prompts and rewards determine everything that a step does, so that a
 * run that was interrupted and resumed ends with the same bytes. The mathematics is {@link
 * io.attune.engine.rollout}'s.
 */
package io.attune.engine.online;
