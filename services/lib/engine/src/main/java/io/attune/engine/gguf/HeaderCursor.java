package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads the beginning of a file, where every length was written by a stranger: each is compared
 * with what is left before it is used.
 */
final class HeaderCursor {
  private final ByteBuffer bytes;
  private final String source;

  HeaderCursor(ByteBuffer bytes, String source) {
    this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.source = source;
  }

  /** Another cursor over the same bytes. */
  HeaderCursor at(int position) {
    HeaderCursor other = new HeaderCursor(bytes, source);
    other.bytes.position(position);
    return other;
  }

  int position() {
    return bytes.position();
  }

  byte int8(String what) {
    return need(Byte.BYTES, what).get();
  }

  short int16(String what) {
    return need(Short.BYTES, what).getShort();
  }

  int int32(String what) {
    return need(Integer.BYTES, what).getInt();
  }

  long int64(String what) {
    return need(Long.BYTES, what).getLong();
  }

  /**
   * An unsigned 64-bit number of things.
   *
   * @param leastBytes what each of them takes at least
   */
  int count(long most, int leastBytes, String what) {
    return count(most, leastBytes, "", what);
  }

  /** As {@link #count(long, int, String)}, of the elements of something. */
  int length(long most, int leastBytes, String what) {
    return count(most, leastBytes, "the length of ", what);
  }

  private int count(long most, int leastBytes, String prefix, String what) {
    long count = int64(what);
    if (count < 0 || count > most) {
      throw corrupt(
          prefix + what + " is " + Long.toUnsignedString(count) + ", beyond the limit of " + most);
    }
    if (count * leastBytes > bytes.remaining()) {
      throw corrupt(prefix + what + " is " + count + ", more than the file has room for");
    }
    return (int) count;
  }

  /** A string, with its length before it. */
  String string(int mostBytes, String what) {
    int length = length(mostBytes, 1, what);
    ByteBuffer text = bytes.slice(bytes.position(), length);
    bytes.position(bytes.position() + length);
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(text)
          .toString();
    } catch (CharacterCodingException e) {
      throw corrupt(what + " is not UTF-8");
    }
  }

  void skip(long count, String what) {
    need(count, what).position((int) (bytes.position() + count));
  }

  void skipString(String what) {
    skip(length(Integer.MAX_VALUE, 1, what), what);
  }

  private ByteBuffer need(long count, String what) {
    if (count < 0 || count > bytes.remaining()) {
      throw corrupt("it ends within " + what);
    }
    return bytes;
  }

  EngineException corrupt(String what) {
    return new EngineException(Reason.CORRUPT, source + " is not a valid GGUF file: " + what);
  }

  String source() {
    return source;
  }
}
