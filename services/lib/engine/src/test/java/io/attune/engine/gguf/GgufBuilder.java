package io.attune.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** GGUF files with any content, right or wrong. */
final class GgufBuilder {
  static final int UINT32 = 4;
  static final int INT32 = 5;
  static final int FLOAT32 = 6;
  static final int BOOL = 7;
  static final int STRING = 8;
  static final int ARRAY = 9;
  static final int UINT64 = 10;

  private final List<byte[]> pairs = new ArrayList<>();
  private final List<byte[]> tensors = new ArrayList<>();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  int magic = GgufHeader.MAGIC;
  int version = 3;
  int alignment = 32;
  Long tensorCount;
  Long pairCount;

  static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  static byte[] string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return bytes(8 + utf8.length).putLong(utf8.length).put(utf8).array();
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  static byte[] int32(int value) {
    return bytes(4).putInt(value).array();
  }

  static byte[] int64(long value) {
    return bytes(8).putLong(value).array();
  }

  /** A pair as its bytes. */
  GgufBuilder raw(byte[] pair) {
    pairs.add(pair);
    return this;
  }

  GgufBuilder value(String key, int type, byte[] value) {
    return raw(concat(string(key), int32(type), value));
  }

  GgufBuilder text(String key, String value) {
    return value(key, STRING, string(value));
  }

  GgufBuilder number(String key, int value) {
    return value(key, UINT32, int32(value));
  }

  GgufBuilder real(String key, float value) {
    return value(key, FLOAT32, int32(Float.floatToRawIntBits(value)));
  }

  GgufBuilder flag(String key, boolean value) {
    return value(key, BOOL, new byte[] {(byte) (value ? 1 : 0)});
  }

  GgufBuilder array(String key, int type, long count, byte[] elements) {
    return value(key, ARRAY, concat(int32(type), int64(count), elements));
  }

  GgufBuilder texts(String key, List<String> values) {
    byte[][] parts = values.stream().map(GgufBuilder::string).toArray(byte[][]::new);
    return array(key, STRING, values.size(), concat(parts));
  }

  GgufBuilder integers(String key, int... values) {
    ByteBuffer all = bytes(4 * values.length);
    all.asIntBuffer().put(values);
    return array(key, INT32, values.length, all.array());
  }

  GgufBuilder floats(String key, float... values) {
    ByteBuffer all = bytes(4 * values.length);
    all.asFloatBuffer().put(values);
    return array(key, FLOAT32, values.length, all.array());
  }

  /**
   * A tensor after those before it.
   *
   * @param shape outermost first
   */
  GgufBuilder tensor(String name, int type, byte[] content, long... shape) {
    while (data.size() % alignment != 0) {
      data.write(0);
    }
    entry(name, type, data.size(), shape);
    data.writeBytes(content);
    return this;
  }

  GgufBuilder zeros(String name, long... shape) {
    long count = 4;
    for (long size : shape) {
      count *= size;
    }
    return tensor(name, 0, new byte[(int) count], shape);
  }

  /** What the header says about a tensor, whether it is true or not. */
  GgufBuilder entry(String name, int type, long offset, long... shape) {
    byte[][] sizes = new byte[shape.length][];
    for (int d = 0; d < shape.length; d++) {
      sizes[shape.length - 1 - d] = int64(shape[d]);
    }
    tensors.add(
        concat(string(name), int32(shape.length), concat(sizes), int32(type), int64(offset)));
    return this;
  }

  GgufBuilder data(int size) {
    data.writeBytes(new byte[size]);
    return this;
  }

  /** Everything of another file, except some of its metadata. */
  static GgufBuilder copy(Path path, String... without) throws IOException {
    GgufBuilder builder = new GgufBuilder();
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    long pairs = in.getLong(16);
    in.position(24);
    for (long i = 0; i < pairs; i++) {
      int start = in.position();
      byte[] key = new byte[(int) in.getLong()];
      in.get(key);
      skip(in, in.getInt());
      byte[] pair = new byte[in.position() - start];
      in.get(start, pair);
      if (!List.of(without).contains(new String(key, StandardCharsets.UTF_8))) {
        builder.raw(pair);
      }
    }
    try (GgufFile file = GgufFile.open(path)) {
      for (GgufTensor tensor : file.tensors().values()) {
        ByteBuffer content = file.segments(tensor).get(0);
        byte[] copied = new byte[content.remaining()];
        content.get(copied);
        builder.tensor(tensor.name(), typeId(tensor.type()), copied, tensor.shape());
      }
    }
    return builder;
  }

  private static void skip(ByteBuffer in, int type) {
    if (type == STRING) {
      long length = in.getLong();
      in.position((int) (in.position() + length));
    } else if (type == ARRAY) {
      int element = in.getInt();
      long count = in.getLong();
      for (long i = 0; i < count; i++) {
        skip(in, element);
      }
    } else {
      in.position(in.position() + ValueType.values()[type].bytes());
    }
  }

  static int typeId(GgmlType type) {
    for (int id = 0; id < 64; id++) {
      if (GgmlType.of(id).filter(type::equals).isPresent()) {
        return id;
      }
    }
    throw new IllegalArgumentException(type.toString());
  }

  byte[] build() {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(int32(magic));
    file.writeBytes(int32(version));
    file.writeBytes(int64(tensorCount == null ? tensors.size() : tensorCount));
    file.writeBytes(int64(pairCount == null ? pairs.size() : pairCount));
    pairs.forEach(file::writeBytes);
    tensors.forEach(file::writeBytes);
    while (file.size() % alignment != 0) {
      file.write(0);
    }
    file.writeBytes(data.toByteArray());
    return file.toByteArray();
  }

  Path write(Path path) {
    try {
      return Files.write(path, build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
