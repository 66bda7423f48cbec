package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.token.Tokenizer;
import java.util.Arrays;
import java.util.Set;

/** Tokens of texts that go on from each other, and of how they end. */
final class Continuation {
  private final Tokenizer tokenizer;
  private final Set<Integer> endings;

  /**
   * @param endings every token that ends a sequence
   */
  Continuation(Tokenizer tokenizer, Set<Integer> endings) {
    this.tokenizer = tokenizer;
    this.endings = endings;
  }

  /**
   * Ids of two texts, the first with the ids given. As the reference, both are tokenized together;
   * where that would change the first one's ids, each is tokenized alone.
   */
  int[] append(int[] ids, String before, String after, boolean addSpecialTokens) {
    int[] joint = tokenizer.encode(before + after, addSpecialTokens);
    if (joint.length >= ids.length && Arrays.equals(ids, 0, ids.length, joint, 0, ids.length)) {
      return joint;
    }
    return concatenate(ids, tokenizer.encode(after, false));
  }

  /** Appends the end-of-sequence token where neither the row nor the template wrote one. */
  int[] ended(int[] ids, String text) {
    int last = ids.length - 1;
    // Templates often write a newline after the token that ends a turn.
    String blanks = text.substring(text.stripTrailing().length());
    int trailing = blanks.isEmpty() ? 0 : tokenizer.encode(blanks, false).length;
    for (int i = last; i >= 0 && i >= last - trailing; i--) {
      if (endings.contains(ids[i])) {
        return ids;
      }
    }
    int eos =
        tokenizer.eosTokenId().orElseGet(() -> endings.stream().min(Integer::compare).orElse(-1));
    return eos < 0 ? ids : concatenate(ids, new int[] {eos});
  }

  /** What a rendering says after the rendering of fewer turns. */
  static String rest(String full, String start) {
    if (!full.startsWith(start)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          "the chat template writes earlier turns differently once a later one follows, so what"
              + " the assistant said cannot be told apart; learn the last turn alone"
              + " (mask_history), give the model a template with {% generation %} blocks, or use"
              + " {prompt, completion} rows of text");
    }
    return full.substring(start.length());
  }

  static int[] concatenate(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
