package io.attune.launcher.quickstart;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level byte-pair encoding (Sennrich et al. 2016; bytes as in GPT-2): begins with the
 * 256 bytes and joins, again and again, the pair of neighbours that is most frequent within words.
 * Ties go to the pair that comes first in the order of its texts, so that a corpus always gives the
 * same merges.
 */
final class BytePairTrainer {
  /** How GPT-2 splits text into words; merges never cross a word's border. */
  static final Pattern WORDS =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** Two neighbouring symbols. */
  record Pair(String left, String right) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int first = left.compareTo(other.left);
      return first != 0 ? first : right.compareTo(other.right);
    }
  }

  private record Word(List<String> symbols, int[] count) {}

  private final Map<String, Word> words = new LinkedHashMap<>();

  /** Counts the words of a text. */
  void add(String text) {
    Matcher matcher = WORDS.matcher(text);
    while (matcher.find()) {
      words.computeIfAbsent(matcher.group(), w -> new Word(symbols(w), new int[1])).count()[0]++;
    }
  }

  /** The first merges, the most frequent first; fewer when no pair occurs twice any more. */
  List<Pair> learn(int merges) {
    List<Pair> learnt = new ArrayList<>();
    while (learnt.size() < merges) {
      Map<Pair, Integer> counts = new HashMap<>();
      for (Word word : words.values()) {
        for (int i = 0; i + 1 < word.symbols().size(); i++) {
          Pair pair = new Pair(word.symbols().get(i), word.symbols().get(i + 1));
          counts.merge(pair, word.count()[0], Integer::sum);
        }
      }
      Map.Entry<Pair, Integer> best = null;
      for (Map.Entry<Pair, Integer> entry : counts.entrySet()) {
        if (best == null
            || entry.getValue() > best.getValue()
            || (entry.getValue().equals(best.getValue())
                && entry.getKey().compareTo(best.getKey()) < 0)) {
          best = entry;
        }
      }
      if (best == null || best.getValue() < 2) {
        return learnt;
      }
      Pair pair = best.getKey();
      words.values().forEach(word -> join(word.symbols(), pair));
      learnt.add(pair);
    }
    return learnt;
  }

  private static void join(List<String> symbols, Pair pair) {
    for (int i = 0; i + 1 < symbols.size(); i++) {
      if (symbols.get(i).equals(pair.left()) && symbols.get(i + 1).equals(pair.right())) {
        symbols.set(i, pair.left() + pair.right());
        symbols.remove(i + 1);
      }
    }
  }

  private static List<String> symbols(String word) {
    List<String> symbols = new ArrayList<>();
    for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
      symbols.add(symbol(b & 0xff));
    }
    return symbols;
  }

  /**
   * The printable character that stands for a byte in GPT-2's vocabulary: the byte's own where that
   * is printable, else the next free one from U+0100.
   */
  static String symbol(int value) {
    int next = 0x100;
    for (int b = 0; b <= value; b++) {
      boolean printable =
          (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      if (b == value) {
        return String.valueOf((char) (printable ? b : next));
      }
      next += printable ? 0 : 1;
    }
    throw new IllegalArgumentException("not a byte: " + value);
  }
}
