package io.attune.engine.token;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;

/**
 * Checks the parts of {@code tokenizer.json} around its model: normalizer, pre-tokenizer,
 * post-processor, decoder.
 *
 * <p>The native library trusts their settings: a wrong index, an empty chunk or a step limit of its
 * regular expressions ends the process, and a text that is replaced by a longer one again and again
 * takes all memory. So only parts that are known are accepted, with settings that cannot do that.
 *
 * <p>Refuses by {@link IllegalArgumentException}, whose message says what and why.
 */
final class TokenizerParts {
  /** Ids beyond this are no row of any embedding. */
  static final int MAX_ID = 1 << 24;

  private static final int MAX_PARTS = 64;
  private static final int MAX_TEXT = 1024;
  private static final int MAX_PIECES = 64;
  private static final int MAX_WIDTH_GROWTH = 256;

  /** A compatibility normalisation makes at most 33 bytes of 3. */
  private static final int COMPATIBILITY_GROWTH = 11;

  /** Lists of parts, by the section that they stand in. */
  private static final Map<String, String> LISTS =
      Map.of(
          "normalizer", "normalizers",
          "pre_tokenizer", "pretokenizers",
          "post_processor", "processors",
          "decoder", "decoders");

  /** Known parts whose settings can do no harm. */
  private static final Map<String, Set<String>> HARMLESS =
      Map.of(
          "normalizer",
              Set.of("BertNormalizer", "Strip", "StripAccents", "NFC", "NFD", "Lowercase", "Nmt"),
          "pre_tokenizer",
              Set.of(
                  "BertPreTokenizer",
                  "CharDelimiterSplit",
                  "Digits",
                  "Punctuation",
                  "UnicodeScripts",
                  "Whitespace",
                  "WhitespaceSplit"),
          "post_processor", Set.of("ByteLevel"),
          "decoder",
              Set.of(
                  "BPEDecoder",
                  "ByteFallback",
                  "ByteLevel",
                  "CTC",
                  "Fuse",
                  "Metaspace",
                  "WordPiece"));

  private final String section;
  private int parts;

  /** Bytes that one byte of a text can become. */
  private long growth = 1;

  private boolean compatible;

  /** Steps of the regular expressions for each character. */
  private long steps;

  private TokenizerParts(String section) {
    this.section = section;
  }

  /**
   * Checks a section.
   *
   * @param section its key
   * @return steps that a match of its regular expressions may take for each byte of a text
   */
  static long check(String section, JsonNode value) {
    if (value.isNull()) {
      return 0;
    }
    TokenizerParts parts = new TokenizerParts(section);
    parts.check(value);
    return parts.steps;
  }

  private void check(JsonNode part) {
    String type = part.path("type").asText("");
    if (++parts > MAX_PARTS) {
      throw new IllegalArgumentException(section + " has more than " + MAX_PARTS + " parts");
    }
    for (JsonNode setting : part) {
      if (setting.isTextual()
          && setting.textValue().length() > MAX_TEXT
          && !type.equals("Precompiled")) {
        throw refused(type, "has a text of more than " + MAX_TEXT + " characters");
      }
    }
    if (type.equals("Sequence")) {
      for (JsonNode inner : array(part, type, LISTS.get(section))) {
        check(inner);
      }
      return;
    }
    if (!HARMLESS.get(section).contains(type)) {
      checkSettings(type, part);
    }
    if (type.equals("Lowercase") || type.equals("NFD")) {
      grow(type, 2);
    }
  }

  private void checkSettings(String type, JsonNode part) {
    switch (section + " " + type) {
      case "normalizer NFKC", "normalizer NFKD" -> growOnce(type);
      case "normalizer Precompiled" -> {
        charsmap(part.path("precompiled_charsmap"));
        growOnce(type);
      }
      case "normalizer Prepend" -> {
        if (part.path("prepend").asText().length() > MAX_PIECES) {
          throw refused(type, "prepends more than " + MAX_PIECES + " characters");
        }
      }
      case "normalizer Replace", "decoder Replace" -> replace(type, part);
      case "normalizer ByteLevel", "pre_tokenizer ByteLevel" -> grow(type, 2);
      case "pre_tokenizer Metaspace" -> grow(type, 3);
      case "pre_tokenizer Split" -> pattern(type, part);
      case "pre_tokenizer FixedLength" -> atLeastOne(type, part, "length");
      case "post_processor BertProcessing", "post_processor RobertaProcessing" -> {
        token(type, part.path("sep"));
        token(type, part.path("cls"));
      }
      case "post_processor TemplateProcessing" -> template(type, part);
      case "decoder Strip" -> {
        // Characters cut at the end are counted from a length that may be smaller.
        if (!part.path("stop").isInt() || part.path("stop").intValue() != 0) {
          throw refused(type, "strips the ends of tokens, which is not supported");
        }
      }
      default ->
          throw new IllegalArgumentException(
              section + " is of type '" + type + "', which is not supported");
    }
  }

  private void replace(String type, JsonNode part) {
    long from = pattern(type, part);
    long to = part.path("content").asText().getBytes(StandardCharsets.UTF_8).length;
    grow(type, from == 0 ? 1 + 2 * to : Math.max(1, (to + from - 1) / from));
  }

  /** Returns bytes that a match has at least; 0 where that is not known. */
  private long pattern(String type, JsonNode part) {
    JsonNode pattern = part.path("pattern");
    if (pattern.path("String").isTextual()) {
      return pattern.get("String").textValue().getBytes(StandardCharsets.UTF_8).length;
    }
    if (!pattern.path("Regex").isTextual()) {
      throw refused(type, "has no pattern");
    }
    String regex = pattern.get("Regex").textValue();
    try {
      RegexCost cost = RegexCost.of(regex);
      steps += growth * cost.linear();
      return cost.consumes() ? 1 : 0;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          section + ": the expression '" + regex + "' " + e.getMessage(), e);
    }
  }

  private void growOnce(String type) {
    if (!compatible) {
      compatible = true;
      grow(type, COMPATIBILITY_GROWTH);
    }
  }

  private void grow(String type, long factor) {
    growth *= factor;
    if (growth > MAX_WIDTH_GROWTH) {
      throw refused(type, "makes texts more than " + MAX_WIDTH_GROWTH + " times as long");
    }
  }

  private void charsmap(JsonNode base64) {
    try {
      Charsmap.check(base64.asText());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          section + ": its precompiled_charsmap " + e.getMessage(), e);
    }
  }

  private void atLeastOne(String type, JsonNode part, String key) {
    if (!part.path(key).isInt() || part.path(key).intValue() < 1) {
      throw refused(type, "has a " + key + " of " + part.path(key) + "; it must be at least 1");
    }
  }

  private void template(String type, JsonNode part) {
    JsonNode special = part.path("special_tokens");
    for (String key : Set.of("single", "pair")) {
      JsonNode pieces = array(part, type, key);
      if (pieces.size() > MAX_PIECES) {
        throw refused(type, "has more than " + MAX_PIECES + " pieces");
      }
      for (JsonNode piece : pieces) {
        JsonNode id = piece.path("SpecialToken").path("id");
        if (piece.has("SpecialToken") && !(id.isTextual() && special.has(id.textValue()))) {
          throw refused(type, "writes the token " + id + ", which special_tokens lacks");
        }
        if (key.equals("single") && piece.path("Sequence").path("id").asText("A").equals("B")) {
          throw refused(type, "puts a second text where there is one");
        }
      }
    }
    for (JsonNode token : special) {
      JsonNode ids = array(token, type, "ids");
      if (ids.isEmpty()
          || ids.size() > MAX_PIECES
          || ids.size() != array(token, type, "tokens").size()) {
        throw refused(type, "has " + ids.size() + " ids for a special token");
      }
      ids.forEach(id -> id(type, id));
    }
  }

  /** A pair of text and id. */
  private void token(String type, JsonNode pair) {
    if (!pair.isArray() || pair.size() != 2 || !pair.get(0).isTextual()) {
      throw refused(type, "has a token " + pair);
    }
    id(type, pair.get(1));
  }

  private void id(String type, JsonNode id) {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() > MAX_ID) {
      throw refused(type, "has the token id " + id);
    }
  }

  private JsonNode array(JsonNode part, String type, String key) {
    if (!part.path(key).isArray()) {
      throw refused(type, "has no list '" + key + "'");
    }
    return part.get(key);
  }

  private IllegalArgumentException refused(String type, String why) {
    return new IllegalArgumentException(section + ": " + type + " " + why);
  }
}
