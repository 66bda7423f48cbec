package io.attune.engine;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A training run.
 *
 * @param model base model folder
 * @param data rows, as JSONL or a JSON array; for {@code cpt} also text, or a folder of both
 * @param out where metrics, checkpoints and the result go; a run that was interrupted is resumed by
 *     giving the same specification again
 * @param objective {@code sft}, {@code cpt}, {@code dpo}, {@code orpo}, {@code simpo}, {@code kto},
 *     {@code reward} or {@code classify}; which of them depends on the kind of model
 * @param method {@code lora}, another kind of adapter, or {@code full}; see {@link
 *     io.attune.engine.train.Method}
 * @param initAdapter an adapter to train on from; null to start from the base model
 * @param evalData held-out rows: after training, their metrics are written to {@code eval.json}
 * @param baselineAdapter an adapter whose metrics on the same rows are written beside; may be null
 * @param parameters settings under Hugging Face's names; unknown ones are refused
 */
public record TrainingSpec(
    Path model,
    Path data,
    Path out,
    String objective,
    String method,
    @Nullable Path initAdapter,
    @Nullable Path evalData,
    @Nullable Path baselineAdapter,
    Map<String, String> parameters) {
  public TrainingSpec {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(out, "out");
    Objects.requireNonNull(objective, "objective");
    Objects.requireNonNull(method, "method");
    parameters = Map.copyOf(parameters);
  }
}
