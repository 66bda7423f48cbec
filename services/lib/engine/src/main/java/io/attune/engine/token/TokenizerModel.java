package io.attune.engine.token;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * Checks the {@code model} of {@code tokenizer.json} as it is read: vocabularies are large, so no
 * tree of it is made.
 *
 * <p>Refuses by {@link IllegalArgumentException}, whose message says what and why.
 */
final class TokenizerModel {
  private static final int MAX_TOKENS = 1 << 20;
  private static final int MAX_MERGES = 1 << 21;
  private static final int MAX_AFFIX = 64;

  /** A word costs the cube of its length. */
  private static final int MAX_WORD = 512;

  private final JsonParser parser;
  private String prefix = "";
  private boolean merged;

  private TokenizerModel(JsonParser parser) {
    this.parser = parser;
  }

  /** Reads the value at which a parser stands. */
  static void check(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new IllegalArgumentException("'model' is no object");
    }
    new TokenizerModel(parser).check();
  }

  private void check() throws IOException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (key) {
        case "vocab" -> vocabulary(value);
        case "merges" -> merges(value);
        case "dropout" -> dropout(value);
        case "continuing_subword_prefix", "end_of_word_suffix" -> affix(key, value);
        case "max_input_chars_per_word" -> {
          if (value != JsonToken.VALUE_NUMBER_INT
              || parser.getLongValue() < 1
              || parser.getLongValue() > MAX_WORD) {
            throw new IllegalArgumentException(
                "'max_input_chars_per_word' is not from 1 to " + MAX_WORD);
          }
        }
        default -> parser.skipChildren();
      }
    }
  }

  /** From texts to ids; or, for Unigram, pairs of text and score. */
  private void vocabulary(JsonToken start) throws IOException {
    boolean object = start == JsonToken.START_OBJECT;
    if (!object && start != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException("'vocab' is neither an object nor a list");
    }
    int count = 0;
    JsonToken end = object ? JsonToken.END_OBJECT : JsonToken.END_ARRAY;
    for (JsonToken token = parser.nextToken(); token != end; token = parser.nextToken()) {
      if (++count > MAX_TOKENS) {
        throw new IllegalArgumentException("'vocab' has more than " + MAX_TOKENS + " tokens");
      }
      if (object) {
        String text = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT
            || parser.getLongValue() < 0
            || parser.getLongValue() > TokenizerParts.MAX_ID) {
          throw new IllegalArgumentException(
              "'vocab' gives '" + text + "' the id " + parser.getText());
        }
      } else {
        parser.skipChildren();
      }
    }
  }

  /** Pairs of texts; files of earlier years have them as one text with a blank between. */
  private void merges(JsonToken start) throws IOException {
    if (start != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException("'merges' is no list");
    }
    merged = true;
    int count = 0;
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      if (++count > MAX_MERGES) {
        throw new IllegalArgumentException("'merges' has more than " + MAX_MERGES + " entries");
      }
      String second = "";
      if (token == JsonToken.START_ARRAY) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          second = text("'merges' holds something else than texts");
        }
      } else {
        String pair = text("'merges' holds something else than texts");
        second = pair.substring(pair.lastIndexOf(' ') + 1);
      }
      if (!second.startsWith(prefix)) {
        throw new IllegalArgumentException(
            "'merges' adds '" + second + "', which does not begin with '" + prefix + "'");
      }
    }
  }

  private void affix(String key, JsonToken value) throws IOException {
    if (value == JsonToken.VALUE_NULL) {
      return;
    }
    String affix = text("'" + key + "' is no text");
    if (affix.length() > MAX_AFFIX) {
      throw new IllegalArgumentException(
          "'" + key + "' has more than " + MAX_AFFIX + " characters");
    }
    if (key.equals("continuing_subword_prefix")) {
      if (merged && !affix.isEmpty()) {
        throw new IllegalArgumentException("'" + key + "' comes after 'merges'; write it before");
      }
      prefix = affix;
    }
  }

  private void dropout(JsonToken value) throws IOException {
    if (value != JsonToken.VALUE_NULL && !(value.isNumeric() && parser.getDoubleValue() == 0)) {
      throw new IllegalArgumentException("'dropout' is not null: tokens would be drawn at random");
    }
  }

  private String text(String otherwise) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw new IllegalArgumentException(otherwise);
    }
    return parser.getText();
  }
}
