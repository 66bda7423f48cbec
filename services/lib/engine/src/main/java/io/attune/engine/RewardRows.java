package io.attune.engine;

import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.objective.OrdinalReward;
import io.attune.engine.objective.RatedSequence;
import io.attune.engine.objective.RewardLevels;
import io.attune.engine.objective.RewardModeling;
import io.attune.engine.objective.RewardPair;
import io.attune.engine.objective.RewardRegression;
import io.attune.engine.objective.Sequence;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.TokenizedText;
import io.attune.engine.train.RewardSettings;
import io.attune.engine.train.TrainingSettings;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How a kind of model reads the rows of a reward model. */
interface RewardRows {

  /** Of a row that is rated; empty where nothing of the answer is within the maximum length. */
  Optional<RatedSequence> rated(Row row);

  /** Of a preference; likewise. */
  Optional<RewardPair> pair(Row row);

  /** A decoder reads prompt and answer in one, and a text as it is. */
  static RewardRows ofDecoder(Examples examples) {
    return new RewardRows() {
      @Override
      public Optional<RatedSequence> rated(Row row) {
        return examples.scored(row).map(RatedSequence::of);
      }

      @Override
      public Optional<RewardPair> pair(Row row) {
        return examples.preference(row).map(RewardPair::of);
      }
    };
  }

  /** Makes an encoder's input of one text or two. */
  interface Texts {
    TokenizedText encode(String first, String second);
  }

  /** An encoder reads prompt and answer as a pair of texts, and an answer to nothing alone. */
  static RewardRows ofEncoder(Texts texts) {
    return new RewardRows() {
      @Override
      public Optional<RatedSequence> rated(Row row) {
        if (row instanceof Row.RatedText text) {
          Sequence alone = sequence(texts.encode(text.text(), ""));
          return Optional.of(new RatedSequence(alone, text.score(), null));
        }
        if (row instanceof Row.Scored scored) {
          Sequence both = sequence(scored.prompt(), scored.completion());
          return Optional.of(new RatedSequence(both, scored.score(), scored.prompt()));
        }
        throw unfit(row);
      }

      @Override
      public Optional<RewardPair> pair(Row row) {
        if (row instanceof Row.Preference preference) {
          return Optional.of(
              new RewardPair(
                  sequence(preference.prompt(), preference.chosen()),
                  sequence(preference.prompt(), preference.rejected()),
                  preference.margin()));
        }
        throw unfit(row);
      }

      private Sequence sequence(Content prompt, Content answer) {
        String asked = written(prompt);
        return sequence(
            asked.isEmpty()
                ? texts.encode(written(answer), "")
                : texts.encode(asked, written(answer)));
      }

      private Sequence sequence(TokenizedText text) {
        if (text.length() == 0) {
          throw new EngineException(
              EngineException.Reason.INVALID_ARGUMENT, "an answer has no token");
        }
        return new Sequence.Classified(text, new int[0]);
      }
    };
  }

  /**
   * Turns as text, where there is no chat template: one alone as it is, several with their roles.
   */
  static String written(Content content) {
    if (content instanceof Content.Text text) {
      return text.text();
    }
    List<ChatMessage> turns = ((Content.Messages) content).messages();
    return turns.size() == 1
        ? turns.get(0).content()
        : turns.stream()
            .map(turn -> turn.role() + ": " + turn.content())
            .collect(Collectors.joining("\n"));
  }

  private static EngineException unfit(Row row) {
    return new EngineException(
        EngineException.Reason.INVALID_ARGUMENT,
        "a row of shape "
            + row.getClass().getSimpleName()
            + " does not serve a reward model that learns from the rows before it");
  }

  /** What is learnt of a file's rows; their first one says whether they are pairs or scores. */
  default TrainingTask.Lesson<?, ?> lesson(TrainingRows rows, TrainingSettings settings) {
    if (!isRated(rows)) {
      return TrainingTask.Lesson.of(
          new RewardModeling(settings.objective().reward().pairs()), this::pair);
    }
    RewardLevels levels = levels(rows, settings);
    return TrainingTask.Lesson.of(
        levels == null ? new RewardRegression() : new OrdinalReward(levels), this::rated);
  }

  /** The levels of an ordinal scale; null where scores are regressed on, and for pairs. */
  static @Nullable RewardLevels levels(TrainingRows rows, TrainingSettings settings) {
    RewardSettings reward = settings.objective().reward();
    if (!isRated(rows)) {
      if (reward.loss() != null) {
        throw new IllegalArgumentException(
            "'loss_type' says how scores are learnt, but the rows are pairs");
      }
      return null;
    }
    if (reward.loss() != RewardSettings.ScoreLoss.CORN) {
      return null;
    }
    return reward.levels().isEmpty()
        ? RewardLevels.of(rows.get().stream().mapToDouble(RewardRows::score))
        : new RewardLevels(reward.levels());
  }

  private static boolean isRated(TrainingRows rows) {
    Row first = rows.get().get(0);
    return first instanceof Row.Scored || first instanceof Row.RatedText;
  }

  private static double score(Row row) {
    if (row instanceof Row.Scored scored) {
      return scored.score();
    }
    if (row instanceof Row.RatedText text) {
      return text.score();
    }
    throw unfit(row);
  }
}
