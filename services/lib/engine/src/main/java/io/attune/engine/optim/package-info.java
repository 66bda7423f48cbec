/** Optimizers, gradient clipping and learning-rate schedules. */
package io.attune.engine.optim;
