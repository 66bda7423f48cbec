package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.KtoObjective;
import io.attune.training.v1.OrpoObjective;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.SftObjective;
import io.attune.training.v1.SimpoObjective;
import io.attune.training.v1.TrainingSpec;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RowSetTest {
  private static final TrainingSpec DPO =
      TrainingSpec.newBuilder().setDpo(DpoObjective.getDefaultInstance()).build();
  private static final TrainingSpec REWARD =
      TrainingSpec.newBuilder().setReward(RewardObjective.getDefaultInstance()).build();
  private static final TrainingSpec BRADLEY_TERRY =
      TrainingSpec.newBuilder()
          .setReward(RewardObjective.newBuilder().setLoss(RewardObjective.Loss.LOSS_BRADLEY_TERRY))
          .build();
  private static final TrainingSpec SFT =
      TrainingSpec.newBuilder().setSft(SftObjective.getDefaultInstance()).build();
  private static final TrainingSpec KTO =
      TrainingSpec.newBuilder().setKto(KtoObjective.getDefaultInstance()).build();
  private static final TrainingSpec ORPO =
      TrainingSpec.newBuilder().setOrpo(OrpoObjective.getDefaultInstance()).build();
  private static final TrainingSpec SIMPO =
      TrainingSpec.newBuilder().setSimpo(SimpoObjective.getDefaultInstance()).build();
  private static final RowSet.Limits LIMITS = new RowSet.Limits(2, 3, 5);

  /** Ten prompts to train on and ten held out, each with a good and a bad answer. */
  private static List<SnapshotRating> ratings() {
    RatingsForTests ratings = new RatingsForTests();
    for (int i = 0; i < 10; i++) {
      ratings.score("seen" + i, "good", "ann", 0.9).score("seen" + i, "bad", "ann", 0.1);
      ratings.heldOutScore("held" + i, "good", 0.9).heldOutScore("held" + i, "bad", 0.1);
    }
    return ratings.list();
  }

  static Stream<TrainingSpec> objectives() {
    return Stream.of(DPO, REWARD, BRADLEY_TERRY, SFT, KTO, ORPO, SIMPO);
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void aHeldOutPromptIsNeverTrainedOn(TrainingSpec spec) {
    RowSet rows = RowSet.derive(spec, ratings(), LIMITS);

    assertThat(rows.training()).isNotEmpty();
    assertThat(rows.training()).allMatch(row -> row.prompt().asText().startsWith("seen"));
    assertThat(rows.heldOutPrompts()).allMatch(prompt -> prompt.asText().startsWith("held"));
    assertThat(rows.evaluation())
        .allMatch(pair -> pair.better().prompt().asText().startsWith("held"))
        .allMatch(pair -> pair.worse().prompt().asText().startsWith("held"));
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void theSameSnapshotMakesTheSameRows(TrainingSpec spec) {
    assertThat(RowSet.derive(spec, ratings(), LIMITS))
        .isEqualTo(RowSet.derive(spec, ratings(), LIMITS));
  }

  @Test
  void theObjectiveSaysWhatRowsAre() {
    assertThat(RowSet.derive(DPO, ratings(), LIMITS).training())
        .hasSize(10)
        .hasOnlyElementsOfType(Row.Pair.class);
    assertThat(RowSet.derive(REWARD, ratings(), LIMITS).training())
        .hasSize(20)
        .hasOnlyElementsOfType(Row.Scored.class);
    assertThat(RowSet.derive(BRADLEY_TERRY, ratings(), LIMITS).training())
        .hasSize(10)
        .hasOnlyElementsOfType(Row.Pair.class);
    assertThat(RowSet.derive(SFT, ratings(), LIMITS).training())
        .hasSize(10)
        .hasOnlyElementsOfType(Row.Supervised.class);
    assertThat(RowSet.derive(ORPO, ratings(), LIMITS).training())
        .isEqualTo(RowSet.derive(DPO, ratings(), LIMITS).training());
    assertThat(RowSet.derive(SIMPO, ratings(), LIMITS).training())
        .isEqualTo(RowSet.derive(DPO, ratings(), LIMITS).training());
    assertThat(RowSet.derive(KTO, ratings(), LIMITS).training())
        .hasSize(20)
        .hasOnlyElementsOfType(Row.Judged.class);
    TrainingSpec lone =
        TrainingSpec.newBuilder().setKto(KtoObjective.newBuilder().setUnpairedOnly(true)).build();
    assertThat(RowSet.derive(lone, ratings(), LIMITS).training()).isEmpty();
  }

  @Test
  void aPolicyIsExaminedWithPromptsAndARewardModelWithPairs() {
    RowSet policy = RowSet.derive(DPO, ratings(), LIMITS);
    RowSet reward = RowSet.derive(REWARD, ratings(), LIMITS);

    assertThat(policy.heldOutPrompts()).hasSize(5).doesNotHaveDuplicates();
    assertThat(policy.evaluation()).isEmpty();
    assertThat(reward.evaluation())
        .hasSize(5)
        .allMatch(p -> p.better().completion().equals("good"));
    assertThat(reward.acrossPrompts()).isFalse();
    assertThat(reward.heldOutPrompts()).isEmpty();
  }

  @Test
  void answersToDifferentPromptsArePairedWhereNoPromptHasTwo() {
    RatingsForTests ratings = new RatingsForTests();
    for (int i = 0; i < 40; i++) {
      ratings.heldOutScore("held" + i, "x", (i % 11) / 10.0);
    }

    RowSet rows = RowSet.derive(REWARD, ratings.list(), new RowSet.Limits(0, 3, 100));

    assertThat(rows.acrossPrompts()).isTrue();
    assertThat(rows.evaluation()).hasSizeBetween(10, 20);
    // Independent: no answer is in two pairs.
    assertThat(rows.evaluation().stream().flatMap(p -> Stream.of(p.better(), p.worse())))
        .doesNotHaveDuplicates();
  }

  /** Ingestion holds texts out one by one where they answer nothing. */
  @Test
  void textsWithoutAPromptAreNotAnswersToOneQuestion() {
    RatingsForTests ratings = new RatingsForTests();
    for (int i = 0; i < 10; i++) {
      ratings.heldOutScore("", "held " + i, i / 10.0).score("", "seen " + i, "ann", i / 10.0);
    }

    RowSet rows = RowSet.derive(REWARD, ratings.list(), new RowSet.Limits(0, 3, 100));

    assertThat(rows.training())
        .extracting(row -> ((Row.Scored) row).completion())
        .hasSize(10)
        .allMatch(text -> text.startsWith("seen"));
    assertThat(rows.acrossPrompts()).isTrue();
    assertThat(rows.evaluation())
        .isNotEmpty()
        .allMatch(pair -> pair.better().completion().startsWith("held"));
    assertThat(RowSet.derive(BRADLEY_TERRY, ratings.list(), LIMITS).training()).isEmpty();
    assertThat(RowSet.derive(DPO, ratings.list(), LIMITS).heldOutPrompts()).isEmpty();
  }

  @Test
  void tooLittleDataIsRefusedWithTheCounts() {
    List<SnapshotRating> one =
        new RatingsForTests().score("p", "x", "ann", 1).score("p", "y", "ann", 0).list();

    assertThatThrownBy(() -> RowSet.derive(DPO, one, LIMITS).require(LIMITS))
        .isInstanceOfSatisfying(
            PlatformException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.ERROR_CODE_TOO_LITTLE_DATA))
        .hasMessageContaining("of 2 ratings (0 of them held out) 1 rows")
        .hasMessageContaining("2 are needed");
    RowSet.Limits fewRows = new RowSet.Limits(1, 3, 5);
    assertThatThrownBy(() -> RowSet.derive(DPO, one, fewRows).require(fewRows))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("0 held-out");
  }

  @Test
  void lineageHoldsTheRatingsBehindRowsAndNoOthers() {
    List<SnapshotRating> ratings =
        new RatingsForTests()
            .score("a", "x", "ann", 0.9)
            .score("a", "y", "ann", 0.2)
            .score("b", "only", "ann", 0.5)
            .heldOutScore("held", "x", 0.5)
            .list();

    assertThat(RowSet.derive(DPO, ratings, LIMITS).ratingIds()).containsExactly("r0", "r1");
    assertThat(RowSet.derive(REWARD, ratings, LIMITS).ratingIds())
        .containsExactly("r0", "r1", "r2");
  }
}
