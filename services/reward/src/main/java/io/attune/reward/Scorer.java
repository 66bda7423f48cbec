package io.attune.reward;

import io.attune.common.v1.ErrorCode;
import io.attune.engine.EngineException;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.RewardModel;
import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.token.ChatMessage;
import io.attune.platform.error.PlatformException;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The base model, and the reward models on top of it. */
@ApplicationScoped
public class Scorer {

  private static final String ADAPTER = "adapter_config.json";

  private final LanguageModel base;
  private final int threads;
  private final Examples examples;
  private final int context;

  public Scorer(
      @ConfigProperty(name = "attune.base-model") Path folder,
      @ConfigProperty(name = "attune.threads", defaultValue = "2") int threads) {
    this.base = LanguageModel.load(folder, LoadOptions.defaults().withThreads(threads));
    this.threads = threads;
    this.context = base.config().maxPositions();
    this.examples =
        new Examples(base.tokenizer(), base.chatTemplate(), base.eosTokenIds(), context);
  }

  @PreDestroy
  void close() {
    base.close();
  }

  /** The digest over tokenizer, chat template and end-of-sequence ids. */
  public String contractSha256() {
    return base.contractSha256();
  }

  /** Whether a reward model is an adapter of the base model, and not a model by itself. */
  static boolean isAdapter(Path folder) {
    return Files.exists(folder.resolve(ADAPTER));
  }

  /**
   * Loads a reward model: an adapter of the base model, or an encoder of its own.
   *
   * @throws PlatformException INCOMPATIBLE or CORRUPT
   */
  public Model load(Path folder) {
    try {
      return new Model(
          isAdapter(folder)
              ? RewardModel.load(base, folder)
              : RewardModel.load(folder, LoadOptions.defaults().withThreads(threads)));
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  /** A reward model: an adapter and its score head on the base model, or an encoder. */
  public final class Model implements AutoCloseable {
    private final RewardModel model;

    private Model(RewardModel model) {
      this.model = model;
    }

    /**
     * One score for each answer, in their order. Prompt and answer are tokenized as in training.
     *
     * @throws PlatformException INVALID_ARGUMENT naming the answer that does not fit the context or
     *     the chat template
     */
    public float[] score(List<PromptAnswer> answers) {
      if (!model.readsTokens()) {
        return scoreTexts(answers);
      }
      List<int[]> sequences = new ArrayList<>();
      for (int i = 0; i < answers.size(); i++) {
        sequences.add(tokens(answers.get(i), i));
      }
      try {
        return model.score(sequences);
      } catch (EngineException refused) {
        throw translate(refused);
      }
    }

    /** An encoder has no context to overflow: it cuts prompt and answer. */
    private float[] scoreTexts(List<PromptAnswer> answers) {
      try {
        double[] scores =
            model.scoreAnswers(
                answers.stream()
                    .map(answer -> new RewardModel.Answer(answer.prompt(), answer.answer()))
                    .toList());
        float[] result = new float[scores.length];
        for (int i = 0; i < result.length; i++) {
          result[i] = (float) scores[i];
        }
        return result;
      } catch (EngineException refused) {
        throw translate(refused);
      }
    }

    @Override
    public void close() {
      model.close();
    }
  }

  private int[] tokens(PromptAnswer answer, int index) {
    try {
      Examples.Pair pair = examples.pair(answer.prompt(), answer.answer());
      int prompt = pair.prompt().length;
      if (prompt >= context) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
            "Answer %d has a prompt of %d tokens; the model's context is %d, of which at least 1 is for the answer."
                .formatted(index, prompt, context));
      }
      // What does not fit is cut at the end, as in training.
      int length = Math.min(context, prompt + pair.completion().length);
      int[] ids = Arrays.copyOf(pair.prompt(), length);
      System.arraycopy(pair.completion(), 0, ids, prompt, length - prompt);
      return ids;
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  static Content assistant(String completion) {
    return new Content.Messages(List.of(new ChatMessage("assistant", completion)));
  }

  private static PlatformException translate(EngineException refused) {
    ErrorCode code =
        switch (refused.reason()) {
          case INVALID_ARGUMENT, TOO_LONG -> ErrorCode.ERROR_CODE_INVALID_ARGUMENT;
          case UNSUPPORTED, INCOMPATIBLE -> ErrorCode.ERROR_CODE_INCOMPATIBLE;
          case CORRUPT, IO -> ErrorCode.ERROR_CODE_CORRUPT;
          case TOO_LITTLE_DATA -> ErrorCode.ERROR_CODE_TOO_LITTLE_DATA;
          case DIVERGED -> ErrorCode.ERROR_CODE_DIVERGED;
          case OVERLOADED -> ErrorCode.ERROR_CODE_OVERLOADED;
          case CANCELLED -> ErrorCode.ERROR_CODE_CANCELLED;
        };
    return new PlatformException(code, refused.getMessage(), refused);
  }
}
