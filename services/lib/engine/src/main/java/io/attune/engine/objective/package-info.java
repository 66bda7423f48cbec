/**
 * What is learned, one objective a file: the idea and its paper, the formula, the settings, the
 * maths in double precision with its derivative, the metrics.
 *
 * <p>An objective sees what the model says (log-probabilities of tokens, or scores of texts), never
 * the model; so each is tested by hand-worked numbers and finite differences alone.
 */
package io.attune.engine.objective;
