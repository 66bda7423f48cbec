package io.attune.engine.train;

import io.attune.engine.data.Corpus;
import io.attune.engine.data.ExampleOptions;
import io.attune.engine.data.ExampleOptions.TruncationMode;
import io.attune.engine.data.RowFormat;
import io.attune.engine.template.Template;
import io.attune.engine.template.TemplateException;
import io.attune.engine.train.Batching.Sampling;
import java.util.List;
import java.util.Map;

/**
 * What of rows is learned, and how they are batched.
 *
 * @param layout what becomes of documents in continued pre-training
 */
public record DataSettings(ExampleOptions options, Corpus.Layout layout, Batching batching) {

  /** How rows are understood, which is known before what they are read for. */
  public static RowFormat format(Parameters in) {
    return new RowFormat(
        in.text("columns").map(RowFormat::columns).orElse(Map.of()),
        in.text("prompt_template").map(DataSettings::template).orElse(null),
        RowFormat.SampleBy.named(in.text("sample_by", "document")));
  }

  /**
   * @param objective packing is the default of {@code cpt} alone
   * @param task classifiers and encoder-decoders read rows in one way
   */
  static DataSettings parse(Parameters in, String objective, TaskType task, int maxLength) {
    boolean text = objective.equals("cpt");
    boolean packing = in.flag("packing", text);
    String strategy = in.text("packing_strategy", text ? "wrapped" : "bfd");
    if (packing) {
      checkPacking(objective, task, strategy);
    }
    boolean bins = packing && !strategy.equals("wrapped");
    Sampling sampling = sampling(in);
    if (bins && sampling == Sampling.GROUP_BY_LENGTH) {
      throw new IllegalArgumentException(
          "'packing' and grouping by length are two ways to even out batches; choose one");
    }
    return new DataSettings(
        options(in, objective, task),
        layout(packing, strategy),
        new Batching(sampling, bins ? maxLength : 0));
  }

  private static ExampleOptions options(Parameters in, String objective, TaskType task) {
    if (objective.equals("classify") || task == TaskType.SEQ_2_SEQ_LM) {
      return ExampleOptions.DEFAULT;
    }
    return new ExampleOptions(
        in.flag("completion_only_loss", true),
        in.flag("assistant_only_loss", true),
        in.flag("mask_history", false),
        TruncationMode.named(in.text("truncation_mode", "keep_start")));
  }

  private static void checkPacking(String objective, TaskType task, String strategy) {
    if (task == TaskType.SEQ_2_SEQ_LM || objective.equals("classify")) {
      throw new IllegalArgumentException(
          "'packing' is implemented for decoder-only models that learn to write; use"
              + " 'train_sampling_strategy: group_by_length'");
    }
    List<String> strategies =
        switch (objective) {
          case "cpt" -> List.of("wrapped", "bfd", "bfd_split");
          case "sft" -> List.of("bfd");
          default -> List.of();
        };
    if (strategies.isEmpty()) {
      throw new IllegalArgumentException(
          "'packing' does not fit objective "
              + objective
              + ", which compares answers; use 'train_sampling_strategy: group_by_length'");
    }
    if (!strategies.contains(strategy)) {
      throw new IllegalArgumentException(
          "'packing_strategy' is "
              + strategy
              + "; for "
              + objective
              + " there are "
              + String.join(", ", strategies));
    }
  }

  private static Corpus.Layout layout(boolean packing, String strategy) {
    if (!packing) {
      return Corpus.Layout.TRUNCATED;
    }
    return switch (strategy) {
      case "wrapped" -> Corpus.Layout.WRAPPED;
      case "bfd_split" -> Corpus.Layout.SPLIT;
      default -> Corpus.Layout.TRUNCATED;
    };
  }

  /** {@code shuffle} and {@code group_by_length} are other names for two of the strategies. */
  private static Sampling sampling(Parameters in) {
    Sampling absent = in.flag("shuffle", true) ? Sampling.RANDOM : Sampling.SEQUENTIAL;
    if (in.flag("group_by_length", false)) {
      absent = Sampling.GROUP_BY_LENGTH;
    }
    return in.text("train_sampling_strategy").map(Sampling::named).orElse(absent);
  }

  private static Template template(String source) {
    try {
      return Template.parse(source);
    } catch (TemplateException e) {
      throw new IllegalArgumentException("'prompt_template' " + e.getMessage(), e);
    }
  }
}
