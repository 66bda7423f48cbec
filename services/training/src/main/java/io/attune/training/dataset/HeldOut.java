package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/**
 * What the gate examines a candidate with, taken from prompts that training never sees. Samples are
 * ordered by a hash, so that they are the same in every run and lean to no end of the snapshot.
 */
final class HeldOut {
  private HeldOut() {}

  /** At most {@code maximum} distinct prompts; what answers nothing has none. */
  static List<JsonNode> prompts(List<PromptRatings> ratings, int maximum) {
    return ratings.stream()
        .filter(PromptRatings::heldOut)
        .map(PromptRatings::prompt)
        .filter(prompt -> !PromptRatings.isEmpty(prompt))
        .sorted(Comparator.comparing(prompt -> digest(prompt.toString())))
        .limit(maximum)
        .toList();
  }

  /** Pairs of answers to one prompt, grouped by prompt; at most {@code maximum} prompts. */
  static List<EvaluationPair> pairsWithinPrompts(
      List<PromptRatings> ratings, double margin, int maximum) {
    List<EvaluationPair> pairs = new ArrayList<>();
    int prompts = 0;
    for (PromptRatings prompt : byDigest(ratings)) {
      List<Row.Pair> rows = PairRows.of(prompt, new PairRows.Rule(margin, PAIRS_PER_PROMPT));
      if (!rows.isEmpty() && prompts++ == maximum) {
        break;
      }
      for (Row.Pair row : rows) {
        pairs.add(
            new EvaluationPair(
                digest(row.prompt().toString()),
                new EvaluationPair.Item(row.prompt(), row.chosen()),
                new EvaluationPair.Item(row.prompt(), row.rejected())));
      }
    }
    return pairs;
  }

  /**
   * Pairs of answers to different prompts: each scored answer is in one pair at most, so that the
   * pairs are independent.
   */
  static List<EvaluationPair> pairsAcrossPrompts(
      List<PromptRatings> ratings, double margin, int maximum) {
    List<Row.Scored> rows =
        byDigest(ratings).stream().flatMap(prompt -> ScoredRows.of(prompt).stream()).toList();
    rows =
        rows.stream()
            .sorted(Comparator.comparing(row -> digest(row.prompt() + "\n" + row.completion())))
            .toList();
    List<EvaluationPair> pairs = new ArrayList<>();
    for (int i = 0; i + 1 < rows.size() && pairs.size() < maximum; i += 2) {
      Row.Scored a = rows.get(i);
      Row.Scored b = rows.get(i + 1);
      if (Math.abs(a.score() - b.score()) >= Math.max(margin, SMALLEST_MARGIN) - ROUNDING) {
        Row.Scored better = a.score() > b.score() ? a : b;
        Row.Scored worse = better == a ? b : a;
        pairs.add(
            new EvaluationPair(
                "pair/" + i,
                new EvaluationPair.Item(better.prompt(), better.completion()),
                new EvaluationPair.Item(worse.prompt(), worse.completion())));
      }
    }
    return pairs;
  }

  private static final int PAIRS_PER_PROMPT = 4;
  private static final double SMALLEST_MARGIN = 1e-6;
  private static final double ROUNDING = 1e-9;

  private static List<PromptRatings> byDigest(List<PromptRatings> ratings) {
    return ratings.stream()
        .filter(PromptRatings::heldOut)
        .sorted(Comparator.comparing(prompt -> digest(prompt.prompt().toString())))
        .toList();
  }

  private static String digest(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
