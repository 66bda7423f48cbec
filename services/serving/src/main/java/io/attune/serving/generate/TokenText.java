package io.attune.serving.generate;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * What one token of the vocabulary stands for.
 *
 * @param text its own text; as {@code \xf0\x9f} where its bytes are no whole characters
 * @param bytes UTF-8, perhaps a part of a character; empty for a special token
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record TokenText(String text, byte[] bytes) {

  /** A token that is a part of the answer's text. */
  public static TokenText of(byte[] bytes) {
    try {
      var decoder = StandardCharsets.UTF_8.newDecoder();
      return new TokenText(decoder.decode(ByteBuffer.wrap(bytes)).toString(), bytes);
    } catch (CharacterCodingException part) {
      String escaped = HexFormat.of().withPrefix("\\x").formatHex(bytes);
      return new TokenText(escaped, bytes);
    }
  }
}
