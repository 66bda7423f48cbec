package io.attune.training.dataset;

import java.text.Normalizer;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which answers to a prompt are one: those that are equal in Unicode's compatible form, without
 * regard to case and to how wide white space is. A pair of such answers would teach nothing, and
 * ratings of either are about both. But where somebody said that one of them is better (by a choice
 * or a correction), it is the small difference that counts, and all answers of that form are kept.
 */
final class SimilarAnswers {
  private static final Pattern WHITE_SPACE =
      Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private final Map<String, String> representatives;

  private SimilarAnswers(Map<String, String> representatives) {
    this.representatives = representatives;
  }

  /** Of the ratings of one prompt. An answer is known by the text that most ratings know it by. */
  static SimilarAnswers of(Collection<SnapshotRating> ratings) {
    Map<String, Integer> counts = new HashMap<>();
    Set<String> kept = new HashSet<>();
    for (SnapshotRating rating : ratings) {
      rating.completions().forEach(text -> counts.merge(text, 1, Integer::sum));
      if (rating.feedback() instanceof SnapshotRating.Choice choice) {
        tellApart(rating.completions().get(choice.chosen()), rating.completions(), kept);
      } else if (rating.feedback() instanceof SnapshotRating.Correction correction) {
        counts.merge(correction.text(), 1, Integer::sum);
        tellApart(correction.text(), rating.completions(), kept);
      }
    }
    Map<String, String> byForm = new HashMap<>();
    Map<String, String> representatives = new HashMap<>();
    counts.keySet().stream()
        .sorted(
            Comparator.comparing((String text) -> counts.get(text))
                .reversed()
                .thenComparing(Comparator.naturalOrder()))
        .forEach(
            text -> {
              String form = form(text);
              if (!kept.contains(form)) {
                representatives.put(text, byForm.computeIfAbsent(form, f -> text));
              }
            });
    return new SimilarAnswers(representatives);
  }

  private static void tellApart(String better, List<String> others, Set<String> kept) {
    String form = form(better);
    if (others.stream().anyMatch(text -> !text.equals(better) && form(text).equals(form))) {
      kept.add(form);
    }
  }

  static String form(String text) {
    String compatible = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    return WHITE_SPACE.matcher(compatible).replaceAll(" ").strip();
  }

  /** The text by which an answer is known. */
  String of(String text) {
    return representatives.getOrDefault(text, text);
  }
}
