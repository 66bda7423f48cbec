package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.attune.training.v1.RatingSettings;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FoldTest {
  private static final RowSet.Limits LIMITS = new RowSet.Limits(1, 1, 100);

  @Test
  void everyPromptIsInOneFoldAndFoldsAreAlikeInSize() {
    for (int count : new int[] {1, 2, 5}) {
      int[] sizes = new int[count];
      for (int i = 0; i < 2_000; i++) {
        JsonNode prompt = TextNode.valueOf("prompt " + i);
        List<Integer> folds =
            IntStream.range(0, count)
                .filter(index -> new Fold(index, count).contains(prompt))
                .boxed()
                .toList();
        assertThat(folds).hasSize(1);
        sizes[folds.get(0)]++;
      }
      assertThat(Arrays.stream(sizes).boxed())
          .allMatch(size -> Math.abs(size - 2_000 / count) < 120);
    }
  }

  /** Two reward models of different folds have no rating in common; the gate's pairs they share. */
  @Test
  void rewardModelsOfTwoFoldsLearnFromDifferentRatings() {
    List<SnapshotRating> snapshot = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      for (int answer = 0; answer < 2; answer++) {
        snapshot.add(
            new SnapshotRating(
                "r%03d-%d".formatted(i, answer),
                "rater " + i % 7,
                i % 4 == 0,
                TextNode.valueOf("prompt " + i),
                List.of("answer " + answer),
                new SnapshotRating.Score(answer)));
      }
    }
    RowSet all = RowSet.derive(spec(RatingSettings.getDefaultInstance()), snapshot, LIMITS);
    RowSet first = RowSet.derive(spec(fold(0)), snapshot, LIMITS);
    RowSet second = RowSet.derive(spec(fold(1)), snapshot, LIMITS);

    Set<String> ids = new HashSet<>(first.ratingIds());
    assertThat(ids).isNotEmpty().doesNotContainAnyElementsOf(second.ratingIds());
    ids.addAll(second.ratingIds());
    assertThat(ids).containsExactlyInAnyOrderElementsOf(all.ratingIds());
    assertThat(first.evaluation()).isEqualTo(second.evaluation()).isEqualTo(all.evaluation());
  }

  private static RatingSettings fold(int index) {
    return RatingSettings.newBuilder().setFolds(2).setFold(index).build();
  }

  private static TrainingSpec spec(RatingSettings ratings) {
    return TrainingSpec.newBuilder()
        .setReward(RewardObjective.getDefaultInstance())
        .setRatings(ratings)
        .build();
  }
}
