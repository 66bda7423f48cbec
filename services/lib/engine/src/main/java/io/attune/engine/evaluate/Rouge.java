package io.attune.engine.evaluate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * ROUGE (Lin 2004), 0 to 1: how much of a reference's n-grams, or of its longest common subsequence
 * with the text, is in the text, and the other way round; the mean F-measure over texts, as the
 * rouge-score package counts it. Of several references the one that scores best is taken.
 *
 * @param stemmer whether words of more than three letters are compared by their stems
 */
public record Rouge(Kind kind, boolean stemmer) implements TextMetric {
  private static final Pattern NO_WORD = Pattern.compile("[^a-z0-9]+");

  /** What is compared. */
  public enum Kind {
    /** Words. */
    ROUGE_1("rouge1"),
    /** Pairs of words. */
    ROUGE_2("rouge2"),
    /** The longest common subsequence of whole texts. */
    ROUGE_L("rougeL"),
    /** For each line of the reference the union of its subsequences with all lines of the text. */
    ROUGE_LSUM("rougeLsum");

    private final String title;

    Kind(String title) {
      this.title = title;
    }
  }

  /** How much two texts have in common, each 0 to 1. */
  public record Overlap(double precision, double recall, double fmeasure) {
    static Overlap of(double common, double written, double right) {
      double precision = common / Math.max(written, 1);
      double recall = common / Math.max(right, 1);
      double sum = precision + recall;
      return new Overlap(precision, recall, sum > 0 ? 2 * precision * recall / sum : 0);
    }
  }

  @Override
  public String name() {
    return kind.title;
  }

  @Override
  public String signature() {
    return "stemmer:" + (stemmer ? "porter" : "none");
  }

  /** Precision, recall and F-measure, and 1 for the row. */
  @Override
  public double[] statistics(String hypothesis, List<String> references) {
    Overlap best = overlap(hypothesis, references.get(0));
    for (String reference : references.subList(1, references.size())) {
      Overlap other = overlap(hypothesis, reference);
      best = other.fmeasure() > best.fmeasure() ? other : best;
    }
    return new double[] {best.precision(), best.recall(), best.fmeasure(), 1};
  }

  @Override
  public double score(double[] sums) {
    return sums[2] / sums[3];
  }

  /** Compares a text with one that is right. */
  public Overlap overlap(String hypothesis, String reference) {
    return switch (kind) {
      case ROUGE_1 -> ngrams(words(hypothesis), words(reference), 1);
      case ROUGE_2 -> ngrams(words(hypothesis), words(reference), 2);
      case ROUGE_L -> {
        List<String> written = words(hypothesis);
        List<String> right = words(reference);
        yield Overlap.of(CommonSubsequence.length(right, written), written.size(), right.size());
      }
      case ROUGE_LSUM -> lines(lines(hypothesis), lines(reference));
    };
  }

  private static Overlap ngrams(List<String> written, List<String> right, int order) {
    Map<String, Integer> own = Ngrams.ofWords(written, order);
    Map<String, Integer> wanted = Ngrams.ofWords(right, order);
    return Overlap.of(Ngrams.common(own, wanted), Ngrams.total(own), Ngrams.total(wanted));
  }

  private static Overlap lines(List<List<String>> written, List<List<String>> right) {
    Map<String, Integer> ownLeft = counts(written);
    Map<String, Integer> wantedLeft = counts(right);
    int total = Ngrams.total(ownLeft);
    int wanted = Ngrams.total(wantedLeft);
    int common = 0;
    for (List<String> line : right) {
      BitSet union = new BitSet();
      written.forEach(own -> union.or(CommonSubsequence.places(line, own)));
      // A word counts only as often as it is in both texts, as in ROUGE 1.5.5.
      for (int i = union.nextSetBit(0); i >= 0; i = union.nextSetBit(i + 1)) {
        String word = line.get(i);
        if (ownLeft.getOrDefault(word, 0) > 0 && wantedLeft.getOrDefault(word, 0) > 0) {
          common++;
          ownLeft.merge(word, -1, Integer::sum);
          wantedLeft.merge(word, -1, Integer::sum);
        }
      }
    }
    return Overlap.of(common, total, wanted);
  }

  private static Map<String, Integer> counts(List<List<String>> lines) {
    Map<String, Integer> counts = new HashMap<>();
    lines.forEach(line -> line.forEach(word -> counts.merge(word, 1, Integer::sum)));
    return counts;
  }

  private List<List<String>> lines(String text) {
    List<List<String>> lines = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      lines.add(words(line));
    }
    return lines;
  }

  private List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : NO_WORD.split(text.toLowerCase(Locale.ROOT))) {
      if (!word.isEmpty()) {
        words.add(stemmer && word.length() > 3 ? PorterStemmer.stem(word) : word);
      }
    }
    return words;
  }
}
