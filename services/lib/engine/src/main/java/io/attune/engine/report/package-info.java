/**
 * Shows training runs where people look for them: TensorBoard's event files, MLflow's REST API.
 * What a run writes in any case, {@code metrics.jsonl}, is the training loop's.
 */
@org.jspecify.annotations.NullMarked
package io.attune.engine.report;
