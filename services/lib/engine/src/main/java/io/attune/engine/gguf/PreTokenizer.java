package io.attune.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How a byte-level tokenizer cuts text into words before it merges bytes. A file only names it
 * ({@code tokenizer.ggml.pre}); the names and what they mean are llama.cpp's, the regular
 * expressions those of the tokenizers that they stand for.
 */
enum PreTokenizer {
  /** What llama.cpp takes for a file that names none. */
  DEFAULT(
      false,
      false,
      List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", Regex.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
      "default"),
  GPT2(
      false,
      false,
      List.of(Regex.GPT2),
      "gpt-2",
      "phi-2",
      "mpt",
      "olmo",
      "jais",
      "trillion",
      "gigachat",
      "mellum",
      "a.x-4.0",
      "exaone4",
      "granite-docling"),
  /** GPT-2's, with every digit a word. */
  DIGITS(
      false,
      false,
      List.of("\\p{N}", Regex.GPT2),
      "smollm",
      "starcoder",
      "refact",
      "command-r",
      "codeshell",
      "exaone",
      "minerva-7b"),
  LLAMA3(
      true,
      true,
      List.of(Regex.words("\\p{N}{1,3}")),
      "llama-bpe",
      "llama3",
      "llama-v3",
      "falcon3",
      "falcon-h1",
      "pixtral",
      "midm-2.0",
      "lfm2"),
  /** Llama 3's words, without its begin-of-text token and whole-word lookups. */
  SMAUG(false, false, List.of(Regex.words("\\p{N}{1,3}")), "smaug-bpe", "dbrx"),
  QWEN2(
      false,
      false,
      List.of(Regex.words("\\p{N}")),
      "qwen2",
      "deepseek-r1-qwen",
      "kormo",
      "megrez",
      "f2llmv2",
      "stablelm2",
      "hunyuan",
      "solar-open"),
  TEKKEN(
      true,
      true,
      List.of(Regex.cased("") + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" + Regex.SPACE),
      "tekken"),
  GPT4O(
      false,
      false,
      List.of(
          Regex.cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?")
              + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
              + Regex.SPACE),
      "gpt-4o",
      "llama4",
      "kanana2",
      "talkie");

  private static final Map<String, PreTokenizer> BY_NAME = new TreeMap<>();

  static {
    for (PreTokenizer each : values()) {
      each.names.forEach(name -> BY_NAME.put(name, each));
    }
  }

  private static final class Regex {
    static final String GPT2 =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    static final String SPACE = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    static String words(String numbers) {
      return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
          + numbers
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          + SPACE;
    }

    /** Words that end where small letters are followed by a capital. */
    static String cased(String suffix) {
      String capital = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
      String small = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
      String before = "[^\\r\\n\\p{L}\\p{N}]?";
      return before + capital + "*" + small + "+" + suffix + "|" + before + capital + "+" + small
          + "*" + suffix;
    }
  }

  private final boolean beginsText;
  private final boolean wholeWords;
  private final List<String> splits;
  private final List<String> names;

  PreTokenizer(boolean beginsText, boolean wholeWords, List<String> splits, String... names) {
    this.beginsText = beginsText;
    this.wholeWords = wholeWords;
    this.splits = splits;
    this.names = List.of(names);
  }

  static Optional<PreTokenizer> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  static String names() {
    return String.join(", ", BY_NAME.keySet());
  }

  /** Whether a text begins with the begin-of-sequence token where the file does not say. */
  boolean beginsText() {
    return beginsText;
  }

  /** Whether a word that is a token is taken whole, whatever the merges make of it. */
  boolean wholeWords() {
    return wholeWords;
  }

  /** {@code pre_tokenizer} of {@code tokenizer.json}. */
  ObjectNode json() {
    ObjectNode sequence = JsonFiles.newObject();
    sequence.put("type", "Sequence");
    ArrayNode parts = sequence.putArray("pretokenizers");
    for (String split : splits) {
      ObjectNode part = parts.addObject();
      part.put("type", "Split");
      part.putObject("pattern").put("Regex", split);
      part.put("behavior", "Isolated");
      part.put("invert", false);
    }
    parts.add(byteLevel(false));
    return sequence;
  }

  /** Bytes as printable characters, without cutting. */
  static ObjectNode byteLevel(boolean useRegex) {
    ObjectNode node = JsonFiles.newObject();
    node.put("type", "ByteLevel");
    node.put("add_prefix_space", false);
    node.put("trim_offsets", true);
    node.put("use_regex", useRegex);
    return node;
  }
}
