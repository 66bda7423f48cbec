package io.attune.engine.train;

import io.attune.engine.model.ClassifierPooling;
import io.attune.engine.model.ProblemType;
import org.jspecify.annotations.Nullable;

/**
 * Settings that only some tasks know.
 *
 * @param labelSmoothing how much of each target is spread over all others
 * @param dropout whether the dropout that the model's config and the adapter ask for applies. As
 *     trl's {@code disable_dropout} has it, preferences are learnt without unless asked otherwise:
 *     a policy is compared with a reference, or an answer with another, not one draw with the next
 * @param maxSourceLength tokens of an encoder-decoder's source; longer ones are cut
 * @param maxTargetLength tokens of its target
 * @param problemType what labels mean; null where config or rows tell
 * @param pooling what an encoder's head reads of a text; null where the config tells
 */
public record TaskSettings(
    double labelSmoothing,
    boolean dropout,
    int maxSourceLength,
    int maxTargetLength,
    @Nullable ProblemType problemType,
    @Nullable ClassifierPooling pooling) {

  static TaskSettings parse(Parameters in, String objective, TaskType task) {
    boolean pairs = task == TaskType.SEQ_2_SEQ_LM;
    TaskSettings settings =
        new TaskSettings(
            labelSmoothing(in, objective),
            !in.flag("disable_dropout", ObjectiveSettings.PREFERENCES.contains(objective)),
            pairs ? in.integer("max_source_length", 1024) : 0,
            pairs ? in.integer("max_target_length", 128) : 0,
            objective.equals("classify") ? problemType(in) : null,
            task == TaskType.SEQ_CLS ? pooling(in) : null);
    if (pairs && (settings.maxSourceLength() < 1 || settings.maxTargetLength() < 2)) {
      throw new IllegalArgumentException(
          "'max_source_length' must be at least 1 and 'max_target_length' at least 2");
    }
    return settings;
  }

  /** Of tokens or classes; that of choices is {@link ObjectiveSettings}'. */
  private static double labelSmoothing(Parameters in, String objective) {
    if (!ObjectiveSettings.PREFERENCES.contains(objective)) {
      return in.number("label_smoothing", in.number("label_smoothing_factor", 0));
    }
    boolean ofChoices = objective.equals("dpo") || objective.equals("simpo");
    if (!ofChoices && in.number("label_smoothing", 0) != 0) {
      throw new IllegalArgumentException(
          "'label_smoothing' is not implemented for objective " + objective);
    }
    return 0;
  }

  private static @Nullable ClassifierPooling pooling(Parameters in) {
    String name = in.text(ClassifierPooling.KEY, "");
    if (name.isEmpty()) {
      return null;
    }
    return ClassifierPooling.named(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'classifier_pooling' is "
                        + name
                        + "; implemented are "
                        + ClassifierPooling.all()));
  }

  private static @Nullable ProblemType problemType(Parameters in) {
    String name = in.text("problem_type", "");
    if (name.isEmpty()) {
      return null;
    }
    return ProblemType.named(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'problem_type' is " + name + "; implemented are " + ProblemType.all()));
  }
}
