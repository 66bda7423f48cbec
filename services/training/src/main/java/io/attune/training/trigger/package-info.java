/** Counts accepted ratings and starts a round when there are enough new ones. */
package io.attune.training.trigger;
