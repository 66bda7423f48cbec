package io.attune.engine.evaluate;

import java.util.Map;
import java.util.function.Predicate;

/**
 * Stems of English words (Porter 1980, "An algorithm for suffix stripping") with the changes of
 * NLTK's {@code PorterStemmer}, by which the rouge-score package stems. No stemmer of Maven Central
 * has those changes, and without them scores differ.
 */
final class PorterStemmer {
  private static final Map<String, String> IRREGULAR =
      Map.ofEntries(
          Map.entry("sky", "sky"),
          Map.entry("skies", "sky"),
          Map.entry("dying", "die"),
          Map.entry("lying", "lie"),
          Map.entry("tying", "tie"),
          Map.entry("news", "news"),
          Map.entry("innings", "inning"),
          Map.entry("inning", "inning"),
          Map.entry("outings", "outing"),
          Map.entry("outing", "outing"),
          Map.entry("cannings", "canning"),
          Map.entry("canning", "canning"),
          Map.entry("howe", "howe"),
          Map.entry("proceed", "proceed"),
          Map.entry("exceed", "exceed"),
          Map.entry("succeed", "succeed"));

  /** Endings and what stands in their place, in the order in which they are tried. */
  private static final String[][] STEP_2 = {
    {"ational", "ate"},
    {"tional", "tion"},
    {"enci", "ence"},
    {"anci", "ance"},
    {"izer", "ize"},
    {"bli", "ble"},
    {"alli", "al"},
    {"entli", "ent"},
    {"eli", "e"},
    {"ousli", "ous"},
    {"ization", "ize"},
    {"ation", "ate"},
    {"ator", "ate"},
    {"alism", "al"},
    {"iveness", "ive"},
    {"fulness", "ful"},
    {"ousness", "ous"},
    {"aliti", "al"},
    {"iviti", "ive"},
    {"biliti", "ble"},
    {"fulli", "ful"},
  };

  private static final String[][] STEP_3 = {
    {"icate", "ic"},
    {"ative", ""},
    {"alize", "al"},
    {"iciti", "ic"},
    {"ical", "ic"},
    {"ful", ""},
    {"ness", ""},
  };

  private static final String[][] STEP_4 = {
    {"al", ""},
    {"ance", ""},
    {"ence", ""},
    {"er", ""},
    {"ic", ""},
    {"able", ""},
    {"ible", ""},
    {"ant", ""},
    {"ement", ""},
    {"ment", ""},
    {"ent", ""},
    {"ion", ""},
    {"ou", ""},
    {"ism", ""},
    {"ate", ""},
    {"iti", ""},
    {"ous", ""},
    {"ive", ""},
    {"ize", ""},
  };

  private PorterStemmer() {}

  /**
   * The stem of a word.
   *
   * @param word in lower case
   */
  static String stem(String word) {
    if (IRREGULAR.containsKey(word)) {
      return IRREGULAR.get(word);
    }
    if (word.length() <= 2) {
      return word;
    }
    String stem = yToI(pastAndGerund(plural(word)));
    stem = step2(stem);
    stem = replaced(stem, STEP_3, rest -> measure(rest) > 0);
    boolean keepsIon = stem.endsWith("ion") && !stem.matches(".*[st]ion");
    stem = replaced(stem, STEP_4, rest -> measure(rest) > 1 && !keepsIon);
    return withoutDoubleL(withoutE(stem));
  }

  /** Step 1a. */
  private static String plural(String word) {
    if (word.endsWith("ies")) {
      return cut(word, word.length() == 4 ? 1 : 2);
    }
    if (word.endsWith("sses")) {
      return cut(word, 2);
    }
    return word.endsWith("s") && !word.endsWith("ss") ? cut(word, 1) : word;
  }

  /** Step 1b. */
  private static String pastAndGerund(String word) {
    if (word.endsWith("ied")) {
      return cut(word, word.length() == 4 ? 1 : 2);
    }
    if (word.endsWith("eed")) {
      return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
    }
    int ending = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
    if (ending == 0 || !hasVowel(cut(word, ending))) {
      return word;
    }
    String stem = cut(word, ending);
    char last = stem.charAt(stem.length() - 1);
    if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) {
      return stem + "e";
    }
    if (endsInDoubleConsonant(stem)) {
      return "lsz".indexOf(last) >= 0 ? stem : cut(stem, 1);
    }
    return measure(stem) == 1 && endsShort(stem) ? stem + "e" : stem;
  }

  /** Step 1c. */
  private static String yToI(String word) {
    boolean turns = word.endsWith("y") && word.length() > 2 && isConsonant(word, word.length() - 2);
    return turns ? cut(word, 1) + "i" : word;
  }

  private static String step2(String word) {
    if (word.endsWith("alli") && measure(cut(word, 4)) > 0) {
      return step2(cut(word, 2));
    }
    // Of "logi" the l counts as part of what is left, so that "geologi" loses its i as others do.
    if (word.endsWith("logi")) {
      return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
    }
    return replaced(word, STEP_2, rest -> measure(rest) > 0);
  }

  /** Step 5a. */
  private static String withoutE(String word) {
    if (!word.endsWith("e")) {
      return word;
    }
    String rest = cut(word, 1);
    int measure = measure(rest);
    return measure > 1 || (measure == 1 && !endsShort(rest)) ? rest : word;
  }

  /** Step 5b. */
  private static String withoutDoubleL(String word) {
    return word.endsWith("ll") && measure(cut(word, 1)) > 1 ? cut(word, 1) : word;
  }

  /** The first ending that fits decides, whether or not its condition holds. */
  private static String replaced(String word, String[][] rules, Predicate<String> condition) {
    for (String[] rule : rules) {
      if (word.endsWith(rule[0])) {
        String rest = cut(word, rule[0].length());
        return condition.test(rest) ? rest + rule[1] : word;
      }
    }
    return word;
  }

  private static String cut(String word, int letters) {
    return word.substring(0, word.length() - letters);
  }

  /** How many times a vowel is followed by a consonant. */
  private static int measure(String word) {
    int measure = 0;
    boolean afterVowel = false;
    boolean consonant = false;
    for (int i = 0; i < word.length(); i++) {
      consonant = consonant(word.charAt(i), i > 0 && consonant);
      measure += consonant && afterVowel ? 1 : 0;
      afterVowel = !consonant;
    }
    return measure;
  }

  private static boolean hasVowel(String word) {
    boolean consonant = false;
    for (int i = 0; i < word.length(); i++) {
      consonant = consonant(word.charAt(i), i > 0 && consonant);
      if (!consonant) {
        return true;
      }
    }
    return false;
  }

  private static boolean isConsonant(String word, int place) {
    boolean consonant = false;
    for (int i = 0; i <= place; i++) {
      consonant = consonant(word.charAt(i), i > 0 && consonant);
    }
    return consonant;
  }

  /** A y is a vowel after a consonant. */
  private static boolean consonant(char letter, boolean afterConsonant) {
    return letter == 'y' ? !afterConsonant : "aeiou".indexOf(letter) < 0;
  }

  private static boolean endsInDoubleConsonant(String word) {
    int last = word.length() - 1;
    return last > 0 && word.charAt(last) == word.charAt(last - 1) && isConsonant(word, last);
  }

  /** Consonant, vowel, consonant other than w, x and y; or a word of a vowel and a consonant. */
  private static boolean endsShort(String word) {
    int last = word.length() - 1;
    if (last == 1) {
      return !isConsonant(word, 0) && isConsonant(word, 1);
    }
    return last > 1
        && isConsonant(word, last - 2)
        && !isConsonant(word, last - 1)
        && isConsonant(word, last)
        && "wxy".indexOf(word.charAt(last)) < 0;
  }
}
