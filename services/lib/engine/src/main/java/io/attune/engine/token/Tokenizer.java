package io.attune.engine.token;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.template.Rendering;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A model's tokenizer: Hugging Face's own native library behind {@code tokenizer.json}, so that ids
 * are the reference's. Thread-safe.
 */
public final class Tokenizer implements AutoCloseable {
  private final Path origin;
  private final HuggingFaceTokenizer tokenizer;
  private final Vocabulary vocabulary;
  private final SpecialTokens special;
  private @Nullable TokenBytes bytes;

  private Tokenizer(
      Path origin, HuggingFaceTokenizer tokenizer, Vocabulary vocabulary, SpecialTokens special) {
    this.origin = origin;
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.special = special;
  }

  /** Refuses a file that is malformed, or that the native library could not bear. */
  public static Tokenizer open(HubLayout layout) {
    Path origin = layout.tokenizerJson();
    Vocabulary vocabulary = Vocabulary.read(origin);
    SpecialTokens special = SpecialTokens.of(layout);
    // From the stream, not the path: by path the library would apply other files' settings too.
    // Truncation and padding are the caller's, whatever the file says.
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(vocabulary.json()), options);
      return new Tokenizer(origin, tokenizer, vocabulary, special);
    } catch (IOException | RuntimeException e) {
      throw new EngineException(
          Reason.CORRUPT, origin + " is not a tokenizer: " + e.getMessage(), e);
    }
  }

  /**
   * @param addSpecialTokens whether the tokenizer adds what its post-processor adds, such as a
   *     leading begin-of-sequence token; false for text that a chat template rendered, which has
   *     them already
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    return ids(encoding(text, addSpecialTokens));
  }

  private Encoding encoding(String text, boolean addSpecialTokens) {
    if (text.length() > vocabulary.maxChars()) {
      throw new EngineException(
          Reason.TOO_LONG,
          "a text has "
              + text.length()
              + " characters; this tokenizer takes "
              + vocabulary.maxChars()
              + " at once");
    }
    try {
      return tokenizer.encode(text, addSpecialTokens, false);
    } catch (RuntimeException e) {
      throw new EngineException(
          Reason.CORRUPT, origin + " cannot write a text as tokens: " + e.getMessage(), e);
    }
  }

  private static int[] ids(Encoding encoding) {
    long[] ids = encoding.getIds();
    int[] out = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      out[i] = Math.toIntExact(ids[i]);
    }
    return out;
  }

  /**
   * Ids of a text that has its special tokens already, and for each whether it stands for any
   * character of the spans.
   *
   * @param spans in order, in chars of the text
   */
  public MarkedTokens encode(String text, List<Rendering.Span> spans) {
    Encoding encoding = encoding(text, false);
    int[] ids = ids(encoding);
    CharSpan[] places = encoding.getCharTokenSpans();
    boolean[] marked = new boolean[ids.length];
    for (Rendering.Span span : spans) {
      // The library counts characters, a String UTF-16 units.
      int start = text.codePointCount(0, span.start());
      int end = start + text.codePointCount(span.start(), span.end());
      for (int i = 0; i < ids.length; i++) {
        CharSpan place = places[i];
        marked[i] |= place != null && place.getStart() < end && place.getEnd() > start;
      }
    }
    return new MarkedTokens(ids, marked);
  }

  /** Text of the ids; bytes that are no valid UTF-8 become U+FFFD. */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return decode(ids, 0, ids.length, skipSpecialTokens);
  }

  String decode(int[] ids, int from, int to, boolean skipSpecialTokens) {
    if (from == to) {
      return "";
    }
    long[] longs = new long[to - from];
    for (int i = from; i < to; i++) {
      longs[i - from] = ids[i];
    }
    return tokenizer.decode(longs, skipSpecialTokens);
  }

  /**
   * What one token stands for in UTF-8, which may be a part of a character; empty for a special
   * token. The table of all tokens is made at the first call.
   */
  public synchronized byte[] bytes(int id) {
    if (bytes == null) {
      bytes = new TokenBytes(vocabulary.json());
    }
    return bytes.get(id);
  }

  /** Text piece by piece, for one generation. */
  public TokenStream stream() {
    return new TokenStream(this);
  }

  public SpecialTokens specialTokens() {
    return special;
  }

  /** Id of a special or otherwise added token. */
  public OptionalInt addedTokenId(String token) {
    Integer id = vocabulary.added().get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** Id of the end-of-sequence token, which ends a completion that is learnt. */
  public OptionalInt eosTokenId() {
    return special.eos().map(this::id).orElse(OptionalInt.empty());
  }

  public OptionalInt bosTokenId() {
    return special.bos().map(this::id).orElse(OptionalInt.empty());
  }

  /** Id of a token that may be an ordinary one of the vocabulary. */
  private OptionalInt id(String token) {
    OptionalInt added = addedTokenId(token);
    if (added.isPresent()) {
      return added;
    }
    int[] ids = encode(token, false);
    return ids.length == 1 ? OptionalInt.of(ids[0]) : OptionalInt.empty();
  }

  byte[] json() {
    return vocabulary.json();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
