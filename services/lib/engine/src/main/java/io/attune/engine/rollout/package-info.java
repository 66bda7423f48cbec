/**
 * The mathematics of learning from rollouts: rewards of tokens, advantages, and the losses of
 * policy and value over what the policy itself has written.
 *
 * <p>All in double precision over ragged rows, one number for each token of a completion, its
 * end-of-sequence token included. There is no padding, hence no mask. Nothing here knows a model.
 */
package io.attune.engine.rollout;
