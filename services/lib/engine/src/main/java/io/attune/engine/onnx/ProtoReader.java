package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A cursor over one protobuf message in a mapped file. Nothing is copied but what is asked for;
 * what one file may ask for in all is bounded by its {@link Budget}.
 *
 * <p>Wire format: <a href="https://protobuf.dev/programming-guides/encoding/">protobuf
 * encoding</a>.
 */
final class ProtoReader {
  /** Objects, characters and integers that one file may still put into the heap. */
  static final class Budget {
    private int objects = 300_000;
    private int stringBytes = 32 << 20;
    private int integers = 1 << 20;
  }

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private static final int MAX_STRING = 4096;
  private static final int MAX_PACKED_BYTES = 1 << 17;

  /** Fewer, since each is appended by a copy. */
  private static final int MAX_SINGLE_INTEGERS = 1024;

  private final ByteBuffer bytes;
  private final String source;
  private final Budget budget;
  private int wireType;

  private ProtoReader(ByteBuffer bytes, String source, Budget budget) {
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    this.source = source;
    this.budget = budget;
  }

  static ProtoReader of(ByteBuffer bytes, String source) {
    return new ProtoReader(bytes.slice(), source, new Budget());
  }

  /** Moves to the next field; its number, or 0 at the end of the message. */
  int next() {
    if (!bytes.hasRemaining()) {
      return 0;
    }
    long key = varint();
    wireType = (int) (key & 7);
    long field = key >>> 3;
    if (field < 1 || field > (1 << 29) - 1) {
      throw corrupt("field number " + field + " cannot be");
    }
    return (int) field;
  }

  void skip() {
    switch (wireType) {
      case VARINT -> varint();
      case FIXED64 -> advance(Long.BYTES);
      case LENGTH_DELIMITED -> advance(length());
      case FIXED32 -> advance(Integer.BYTES);
      default -> throw corrupt("wire type " + wireType + " is not used by any field");
    }
  }

  long integer() {
    expect(VARINT);
    return varint();
  }

  float floating() {
    expect(FIXED32);
    need(Float.BYTES);
    return bytes.getFloat();
  }

  String string() {
    ByteBuffer text = delimited();
    if (text.remaining() > MAX_STRING || text.remaining() > budget.stringBytes) {
      throw corrupt("a name of " + text.remaining() + " bytes is beyond the limit");
    }
    budget.stringBytes -= text.remaining();
    spend();
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw corrupt("a name is not UTF-8");
    }
  }

  /** The bytes of the field where they are mapped. */
  ByteBuffer delimited() {
    expect(LENGTH_DELIMITED);
    int length = length();
    ByteBuffer part = bytes.slice(bytes.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    advance(length);
    return part;
  }

  ProtoReader message() {
    spend();
    return new ProtoReader(delimited(), source, budget);
  }

  /** The integers so far and those of this field, which may be packed or single. */
  long[] integers(long[] before) {
    if (wireType == VARINT) {
      long[] values = Arrays.copyOf(before, limited(before.length + 1, MAX_SINGLE_INTEGERS));
      spendIntegers(1);
      values[before.length] = varint();
      return values;
    }
    ProtoReader packed = new ProtoReader(delimited(), source, budget);
    // Each takes a byte at least.
    long[] values =
        Arrays.copyOf(before, before.length + limited(packed.bytes.remaining(), MAX_PACKED_BYTES));
    int count = before.length;
    while (packed.bytes.hasRemaining()) {
      values[count++] = packed.varint();
    }
    spendIntegers(count - before.length);
    return Arrays.copyOf(values, count);
  }

  private int limited(int size, int limit) {
    if (size > limit) {
      throw corrupt("a list of integers takes " + size + ", which is beyond the limit");
    }
    return size;
  }

  private void spendIntegers(int count) {
    budget.integers -= count;
    if (budget.integers < 0) {
      throw corrupt("it has more integers than any encoder");
    }
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      need(1);
      byte next = bytes.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw corrupt("an integer has more than ten bytes");
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > bytes.remaining()) {
      throw corrupt(
          "a field of "
              + Long.toUnsignedString(length)
              + " bytes has "
              + bytes.remaining()
              + " left: truncated");
    }
    return (int) length;
  }

  private void advance(int count) {
    need(count);
    bytes.position(bytes.position() + count);
  }

  private void need(int count) {
    if (bytes.remaining() < count) {
      throw corrupt("it ends in the middle of a field: truncated");
    }
  }

  private void expect(int wanted) {
    if (wireType != wanted) {
      throw corrupt("a field has wire type " + wireType + " instead of " + wanted);
    }
  }

  private void spend() {
    if (budget.objects-- == 0) {
      throw corrupt("it has more nodes, tensors and names than any encoder");
    }
  }

  EngineException corrupt(String what) {
    return new EngineException(Reason.CORRUPT, source + " is not a valid ONNX file: " + what);
  }
}
