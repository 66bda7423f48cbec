/**
 * The training service: jobs from a data set snapshot to a candidate adapter, through the gate, to
 * a release.
 *
 * <p>Reading order: {@link io.attune.training.TrainingConfig}, {@code job}, {@code schedule},
 * {@code worker}, {@code dataset}, {@code release}, {@code adapter}, {@code trigger}.
 */
package io.attune.training;
