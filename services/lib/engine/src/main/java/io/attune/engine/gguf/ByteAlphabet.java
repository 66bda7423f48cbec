package io.attune.engine.gguf;

import java.nio.charset.StandardCharsets;

/**
 * GPT-2's spelling of bytes as printable characters: those that are printable in Latin-1 stand for
 * themselves, the others are the characters from U+0100 on, in order.
 */
final class ByteAlphabet {
  private static final char[] SPELLING = new char[256];
  private static final boolean[] USED = new boolean[512];

  static {
    int others = 0;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xFF && b != 0xAD;
      SPELLING[b] = (char) (printable ? b : 256 + others++);
      USED[SPELLING[b]] = true;
    }
  }

  private ByteAlphabet() {}

  /** Whether a token is spelled so. */
  static boolean spells(String token) {
    return token.chars().allMatch(c -> c < USED.length && USED[c]);
  }

  /** The spelling of a token that a file has as plain text. */
  static String spell(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder spelled = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      spelled.append(SPELLING[b & 0xFF]);
    }
    return spelled.toString();
  }
}
