package io.attune.engine.token;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;

/**
 * Checks a {@code precompiled_charsmap} of SentencePiece: a trie of byte strings as a double array
 * (Darts-clone), and the texts that they are replaced with, each ended by a zero byte. The native
 * library follows its offsets unchecked, and ends the process where one leads out of the array.
 */
final class Charsmap {
  private static final int MAX_BYTES = 8 << 20;

  /** The longest replacement of NFKC has 33 bytes. */
  private static final int MAX_REPLACEMENT = 128;

  private final int[] units;
  private final byte[] texts;

  private Charsmap(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
  }

  /**
   * @throws IllegalArgumentException that says what is wrong
   */
  static void check(String base64) {
    byte[] bytes = Base64.getDecoder().decode(base64);
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < Integer.BYTES || bytes.length > MAX_BYTES) {
      throw new IllegalArgumentException("has " + bytes.length + " bytes");
    }
    int size = in.getInt();
    if (size <= 0 || size % Integer.BYTES != 0 || size > in.remaining()) {
      throw new IllegalArgumentException("says that its trie has " + size + " bytes");
    }
    int[] units = new int[size / Integer.BYTES];
    in.asIntBuffer().get(units);
    byte[] texts = new byte[in.remaining() - size];
    in.position(in.position() + size).get(texts);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("has replacements that are not UTF-8", e);
    }
    new Charsmap(units, texts).follow();
  }

  /** Visits all that a text can lead to: a node's children lie at its base xor a byte. */
  private void follow() {
    BitSet seen = new BitSet();
    Deque<Integer> bases = new ArrayDeque<>();
    int root = offset(units[0]);
    seen.set(root);
    bases.add(root);
    while (!bases.isEmpty()) {
      int base = bases.remove();
      for (int c = 1; c < 256; c++) {
        int child = base ^ c;
        if (child >= units.length) {
          throw new IllegalArgumentException("has a trie that leads out of its array");
        }
        int unit = units[child];
        if (label(unit) != c) {
          continue;
        }
        int next = child ^ offset(unit);
        if (hasLeaf(unit)) {
          checkLeaf(next);
        }
        if (!seen.get(next)) {
          seen.set(next);
          bases.add(next);
        }
      }
    }
  }

  private void checkLeaf(int node) {
    int start = node < units.length ? units[node] & 0x7fffffff : -1;
    if (start < 0 || start > texts.length || isInsideCharacter(start)) {
      throw new IllegalArgumentException("has a trie that leads out of its replacements");
    }
    for (int end = start; end < texts.length && texts[end] != 0; end++) {
      if (end - start == MAX_REPLACEMENT) {
        throw new IllegalArgumentException(
            "replaces a character by more than " + MAX_REPLACEMENT + " bytes");
      }
    }
  }

  private boolean isInsideCharacter(int index) {
    return index < texts.length && (texts[index] & 0xc0) == 0x80;
  }

  private static boolean hasLeaf(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int label(int unit) {
    return unit & (1 << 31 | 0xff);
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}
