package io.attune.engine.token;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Makes an encoder's input of texts and pairs of texts: special tokens around them, the texts of a
 * pair told apart, and all cut to what the model reads, the longer text of a pair first.
 * Thread-safe.
 */
public final class EncoderTokenizer implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;
  private final int maxTokens;
  private final boolean segmented;

  private EncoderTokenizer(HuggingFaceTokenizer tokenizer, int maxTokens, boolean segmented) {
    this.tokenizer = tokenizer;
    this.maxTokens = maxTokens;
    this.segmented = segmented;
  }

  /** The longest text by {@code model_max_length}, or {@code absent} where there is no limit. */
  public static int modelMaxLength(HubLayout layout, int absent) {
    return layout
        .tokenizerConfig()
        .map(config -> config.path("model_max_length").asDouble(absent)) // 1e30 is no limit
        .map(limit -> (int) Math.min(limit, absent))
        .orElse(absent);
  }

  /**
   * @param maxTokens what is read of a text
   * @param segmented whether the model tells the texts of a pair apart; it is not told, if the
   *     tokenizer's {@code model_input_names} leave {@code token_type_ids} out
   */
  public static EncoderTokenizer open(HubLayout layout, int maxTokens, boolean segmented) {
    return open(layout, maxTokens, segmented, Vocabulary.read(layout.tokenizerJson()).json());
  }

  /** As {@link #open}, for texts that are split into words already: {@link #encodeWords}. */
  public static EncoderTokenizer openForWords(HubLayout layout, int maxTokens, boolean segmented) {
    byte[] json = Vocabulary.read(layout.tokenizerJson()).json();
    ObjectNode description =
        (ObjectNode)
            JsonFiles.parse(
                new String(json, StandardCharsets.UTF_8), layout.tokenizerJson().toString());
    JsonNode splits = description.path("pre_tokenizer");
    for (JsonNode step :
        splits.has("pretokenizers") ? splits.path("pretokenizers") : List.of(splits)) {
      // A word is written as one within a text is: with the blank before it.
      if (step instanceof ObjectNode split && split.path("type").asText().equals("ByteLevel")) {
        split.put("add_prefix_space", true);
      }
    }
    return open(layout, maxTokens, segmented, JsonFiles.pretty(description));
  }

  private static EncoderTokenizer open(
      HubLayout layout, int maxTokens, boolean segmented, byte[] json) {
    ObjectNode config = layout.tokenizerConfig().orElseGet(JsonFiles::newObject);
    if (config.path("truncation_side").asText("right").equals("left")) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          layout.folder()
              + "/tokenizer_config.json: 'truncation_side' is left; only right is implemented");
    }
    boolean told = segmented && hasSegments(config.path("model_input_names"));
    Map<String, String> options =
        Map.of(
            "truncation",
            "LONGEST_FIRST",
            "maxLength",
            Integer.toString(maxTokens),
            "modelMaxLength", // else the library knows better: 512
            Integer.toString(maxTokens),
            "padding",
            "false");
    try {
      return new EncoderTokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options),
          maxTokens,
          told);
    } catch (IOException | RuntimeException e) {
      throw new EngineException(
          Reason.CORRUPT, layout.tokenizerJson() + " is not a tokenizer: " + e.getMessage(), e);
    }
  }

  private static boolean hasSegments(JsonNode names) {
    boolean found = names.isEmpty();
    for (JsonNode name : names) {
      found |= name.asText().equals("token_type_ids");
    }
    return found;
  }

  /** Tokens of a text at most, special tokens included. */
  public int maxTokens() {
    return maxTokens;
  }

  public TokenizedText encode(String text) {
    return of(tokenizer.encode(text, true, false));
  }

  /** A pair; an empty second text makes none, as in the reference implementation. */
  public TokenizedText encode(String first, String second) {
    return second.isEmpty() ? encode(first) : of(tokenizer.encode(first, second, true, false));
  }

  /**
   * Words as a model reads them.
   *
   * @param wordOf the word that each token belongs to; -1 for special tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by convention
  public record Words(TokenizedText text, int[] wordOf) {}

  /** Words that make one text; to be asked of a tokenizer that was opened for words. */
  public Words encodeWords(List<String> words) {
    Encoding encoding = tokenizer.encode(words, true, false);
    long[] ids = encoding.getWordIds();
    int[] wordOf = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wordOf[i] = Math.toIntExact(ids[i]);
    }
    return new Words(of(encoding), wordOf);
  }

  private TokenizedText of(Encoding encoding) {
    long[] ids = encoding.getIds();
    long[] types = encoding.getTypeIds();
    int[] tokens = new int[ids.length];
    int[] segments = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      tokens[i] = Math.toIntExact(ids[i]);
      segments[i] = segmented ? Math.toIntExact(types[i]) : 0;
    }
    return new TokenizedText(tokens, segments);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
