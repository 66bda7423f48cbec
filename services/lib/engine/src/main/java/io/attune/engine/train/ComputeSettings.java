package io.attune.engine.train;

import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import java.util.List;

/**
 * In what a run computes, and what it keeps for the way back; under the names of transformers'
 * {@code TrainingArguments}.
 *
 * @param type of frozen weights and what is computed with them; trained ones are float32
 * @param gradientCheckpointing whether layers keep their inputs alone and are computed again on the
 *     way back
 */
public record ComputeSettings(TensorType type, boolean gradientCheckpointing) {

  static ComputeSettings parse(Parameters in, Method method) {
    boolean narrow = in.flag("bf16", false);
    boolean checkpointing = in.flag("gradient_checkpointing", false);
    if (narrow) {
      checkNarrow(in, method);
    }
    return new ComputeSettings(narrow ? TensorType.BF16 : TensorType.F32, checkpointing);
  }

  private static void checkNarrow(Parameters in, Method method) {
    if (method != Method.LORA || in.flag("use_dora", false)) {
      throw new IllegalArgumentException(
          "'bf16' is implemented for method lora, not for "
              + (method == Method.LORA ? "DoRA" : method)
              + "; leave it away to compute in float32");
    }
    String start = in.text("init_lora_weights", "true");
    if (start.startsWith("pissa") || start.equals("loftq")) {
      throw new IllegalArgumentException(
          "'init_lora_weights' is "
              + start
              + ", which changes the base model in float32; leave"
              + " 'bf16' away");
    }
    if (!in.list("modules_to_save", List.of()).isEmpty()) {
      throw new IllegalArgumentException(
          "'modules_to_save' trains weights of the base model, and 'bf16' holds them in bfloat16;"
              + " leave one of them away");
    }
    if (in.text("init_weights", "pretrained").equals("random")) {
      throw new IllegalArgumentException(
          "'init_weights' is random; such weights are drawn in float32, leave 'bf16' away");
    }
  }

  /** Refuses what a kind of model cannot do. */
  public void require(Architecture model) {
    if (!(model instanceof DecoderModel) && (gradientCheckpointing || type == TensorType.BF16)) {
      throw new IllegalArgumentException(
          "'"
              + (gradientCheckpointing ? "gradient_checkpointing" : "bf16")
              + "' is implemented for decoder-only models, not for "
              + model.kind());
    }
  }
}
