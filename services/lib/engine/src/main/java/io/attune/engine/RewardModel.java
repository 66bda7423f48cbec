package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.objective.RatedSequence;
import io.attune.engine.objective.Sequence;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Says how good people would find an answer: a decoder with an adapter that brings the head {@code
 * score}, or an encoder with a head for texts, its own or an adapter's. Immutable and thread-safe.
 */
public final class RewardModel implements AutoCloseable {
  /** Answers that are read in one pass. */
  private static final int BATCH = 32;

  private final RewardNetwork network;
  private final RewardScale scale;

  /** Closed with this; null where it stays the caller's. */
  private final @Nullable PretrainedModel base;

  /**
   * An answer to score.
   *
   * @param prompt what it answers; null for a text that answers nothing
   * @param completion in the prompt's form: text, or turns
   */
  public record Answer(@Nullable Content prompt, Content completion) {

    /** A text that answers nothing. */
    public static Answer of(String text) {
      return new Answer(null, new Content.Text(text));
    }

    /** As training reads it. */
    Row row() {
      if (prompt != null) {
        return new Row.Scored(prompt, completion, 0);
      }
      if (completion instanceof Content.Text text) {
        return new Row.RatedText(text.text(), 0);
      }
      throw new EngineException(Reason.INVALID_ARGUMENT, "turns without a prompt are no answer");
    }
  }

  private RewardModel(RewardNetwork network, RewardScale scale, @Nullable PretrainedModel base) {
    this.network = network;
    this.scale = scale;
    this.base = base;
  }

  /**
   * A model from an adapter of a base model; refuses one without a head that scores.
   *
   * @param base stays the caller's to close, after this
   * @param adapterFolder null where the base model itself is an encoder that scores texts
   */
  public static RewardModel load(PretrainedModel base, @Nullable Path adapterFolder) {
    return load(base, adapterFolder, null);
  }

  /** A model of the caller's own: the folder of a whole encoder that scores texts. */
  public static RewardModel load(Path folder, LoadOptions options) {
    PretrainedModel base = TextEncoder.load(folder, options);
    boolean loaded = false;
    try {
      RewardModel model = load(base, null, base);
      loaded = true;
      return model;
    } finally {
      if (!loaded) {
        base.close();
      }
    }
  }

  private static RewardModel load(
      PretrainedModel base, @Nullable Path adapter, @Nullable PretrainedModel owned) {
    Path folder = adapter == null ? base.folder() : adapter;
    RewardScale scale = RewardScale.read(folder);
    RewardNetwork network = network(base, adapter);
    if (network.outputs() != scale.logits()) {
      network.close();
      throw new EngineException(
          Reason.INCOMPATIBLE,
          folder
              + " is no reward model: its head gives "
              + network.outputs()
              + " values of a text, where "
              + scale.logits()
              + " make a score ('reward' in attune.json)");
    }
    return new RewardModel(network, scale, owned);
  }

  private static RewardNetwork network(PretrainedModel base, @Nullable Path adapter) {
    if (base instanceof TextEncoder encoder) {
      return new EncoderRewardNetwork(encoder, adapter);
    }
    if (base instanceof LanguageModel decoder && adapter != null) {
      return new DecoderRewardNetwork(decoder, adapter);
    }
    throw new EngineException(
        Reason.INCOMPATIBLE,
        base.folder()
            + " is no reward model: that is an encoder, or a decoder-only model with an adapter");
  }

  /** What its scores mean. */
  public RewardScale scale() {
    return scale;
  }

  /** Whether {@link #score} takes token ids; an encoder reads texts alone. */
  public boolean readsTokens() {
    return network.readsTokens();
  }

  /**
   * Scores texts, each read at its last token; only where {@link #readsTokens}.
   *
   * @param sequences ids of prompt and answer, end-of-sequence token included; one batch
   */
  public float[] score(List<int[]> sequences) {
    if (!readsTokens()) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "this reward model is an encoder, which reads answers as text");
    }
    List<double[]> logits =
        network.logits(
            sequences.stream()
                .<Sequence>map(ids -> new Sequence.Continued(ids, new boolean[ids.length]))
                .toList());
    float[] scores = new float[logits.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) scale.score(logits.get(i));
    }
    return scores;
  }

  /** Scores answers, tokenized as in training. */
  public double[] scoreAnswers(List<Answer> answers) {
    List<Sequence> sequences = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      int index = i;
      RatedSequence read =
          network
              .rows()
              .rated(answers.get(i).row())
              .orElseThrow(
                  () ->
                      new EngineException(
                          Reason.TOO_LONG,
                          "answer " + index + " has a prompt that leaves no room for the answer"));
      sequences.add(read.answer());
    }
    double[] scores = new double[sequences.size()];
    for (int from = 0; from < scores.length; from += BATCH) {
      List<double[]> logits =
          network.logits(sequences.subList(from, Math.min(scores.length, from + BATCH)));
      for (int i = 0; i < logits.size(); i++) {
        scores[from + i] = scale.score(logits.get(i));
      }
    }
    return scores;
  }

  @Override
  public void close() {
    network.close();
    if (base != null) {
      base.close();
    }
  }
}
