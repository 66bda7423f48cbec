package io.attune.training.dataset;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * People who rate texts, some of them badly. What an honest one says of a text is what somebody
 * said of it; nobody says two things of one text but the one who floods.
 *
 * @param raters how many there are
 * @param perText how many of them rate each text
 * @param flipping the part of them who always say the opposite, 0 to 1
 * @param flood what one more person says, who sends as many ratings as all others together
 */
record Crowd(int raters, int perText, double flipping, Flood flood) {
  /** What somebody says who sends half of all ratings. */
  enum Flood {
    NONE,
    /** The opposite of what people think. */
    FLIPPED,
    /** Anything. */
    RANDOM
  }

  /**
   * A text.
   *
   * @param said what people said of it, 0 to 1; at least as many as the crowd has for a text
   */
  record Text(String prompt, String text, List<Double> said) {
    double mean() {
      return said.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }
  }

  /** The ratings that the crowd sends, in an order that follows from the seed. */
  List<SnapshotRating> rate(List<Text> texts, long seed) {
    Random random = new Random(seed);
    Random flooding = new Random(~seed); // of its own, so that the others say the same without it
    List<Integer> people = new ArrayList<>(IntStream.range(0, raters).boxed().toList());
    List<SnapshotRating> ratings = new ArrayList<>();
    for (Text text : texts) {
      List<Double> said = new ArrayList<>(text.said());
      Collections.shuffle(said, random);
      Collections.shuffle(people, random);
      for (int i = 0; i < perText; i++) {
        int who = people.get(i);
        boolean flips = who < Math.round(flipping * raters);
        add(ratings, text, "rater-" + who, flips ? 1 - said.get(i) : said.get(i));
        if (flood != Flood.NONE) {
          double any = said.get(flooding.nextInt(said.size()));
          add(ratings, text, "flood", flood == Flood.FLIPPED ? 1 - any : flooding.nextDouble());
        }
      }
    }
    Collections.shuffle(ratings, random);
    return ratings;
  }

  private static void add(List<SnapshotRating> to, Text text, String rater, double score) {
    to.add(
        new SnapshotRating(
            "r" + to.size(),
            rater,
            false,
            TextNode.valueOf(text.prompt()),
            List.of(text.text()),
            new SnapshotRating.Score(score)));
  }
}
