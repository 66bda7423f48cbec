package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a GGUF file (version 2 or 3) says before its data: metadata, then names, types, shapes and
 * places of the tensors.
 *
 * @param tensors by name, in the order of the file
 */
record GgufHeader(GgufMetadata metadata, Map<String, GgufTensor> tensors) {
  /** "GGUF", little-endian. */
  static final int MAGIC = 0x46554747;

  private static final long MAX_TENSORS = 1 << 16;
  private static final int MAX_RANK = 4;

  /** By the format's definition. */
  private static final int MAX_NAME_BYTES = 64;

  private static final long MAX_SIZE = 1L << 28;
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final long MAX_ALIGNMENT = 1 << 20;

  /** A tensor before it is known where the data begins. */
  private record Entry(String name, GgmlType type, long[] shape, long byteSize, long offset) {}

  /**
   * @param fileBytes bytes of the whole file
   */
  static GgufHeader parse(HeaderCursor in, long fileBytes) {
    if (in.int32("the magic number") != MAGIC) {
      throw in.corrupt("it does not begin with 'GGUF'");
    }
    int version = in.int32("the version");
    if (version != 2 && version != 3) {
      boolean bigEndian = Integer.reverseBytes(version) >= 1 && Integer.reverseBytes(version) <= 3;
      throw new EngineException(
          Reason.UNSUPPORTED,
          in.source()
              + (bigEndian
                  ? " is a big-endian GGUF file; only little-endian ones are read"
                  : " has GGUF version "
                      + Integer.toUnsignedString(version)
                      + "; versions 2 and 3 are read"));
    }
    int tensorCount =
        in.count(
            MAX_TENSORS, 3 * Long.BYTES + 2 * Integer.BYTES + Long.BYTES, "the number of tensors");
    int pairs = GgufMetadata.readCount(in);
    GgufMetadata metadata = GgufMetadata.read(in, pairs);
    List<Entry> entries = new ArrayList<>(tensorCount);
    for (int i = 0; i < tensorCount; i++) {
      entries.add(readEntry(in, i));
    }
    long alignment = metadata.integer("general.alignment").orElse(DEFAULT_ALIGNMENT);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
      throw metadata.corrupt(
          "general.alignment", "is " + alignment + ", not a power of two up to " + MAX_ALIGNMENT);
    }
    long dataStart = (in.position() + alignment - 1) / alignment * alignment;
    return new GgufHeader(metadata, place(entries, dataStart, fileBytes, alignment, in));
  }

  private static Entry readEntry(HeaderCursor in, int index) {
    String name = in.string(MAX_NAME_BYTES, "the name of tensor " + index);
    String what = "tensor '" + name + "'";
    int rank = in.int32(what);
    if (rank < 1 || rank > MAX_RANK) {
      throw in.corrupt(
          what + " has " + Integer.toUnsignedString(rank) + " dimensions; at most " + MAX_RANK);
    }
    long[] shape = new long[rank];
    for (int d = rank - 1; d >= 0; d--) {
      shape[d] = in.int64(what);
      if (shape[d] < 1 || shape[d] > MAX_SIZE) {
        throw in.corrupt(
            what + " has a dimension of size " + Long.toUnsignedString(shape[d]) + ", as none has");
      }
    }
    GgmlType type = type(in.int32(what), what, in);
    return new Entry(name, type, shape, byteSize(type, shape, what, in), in.int64(what));
  }

  private static GgmlType type(int id, String what, HeaderCursor in) {
    return GgmlType.of(id)
        .orElseThrow(
            () ->
                GgmlType.otherName(id)
                    .map(
                        other ->
                            new EngineException(
                                Reason.UNSUPPORTED,
                                in.source()
                                    + ": "
                                    + what
                                    + " has type "
                                    + other
                                    + ", which is not implemented; of types "
                                    + Arrays.toString(GgmlType.values())
                                    + " it can be imported"))
                    .orElseGet(
                        () ->
                            in.corrupt(
                                what + " has the unknown type " + Integer.toUnsignedString(id))));
  }

  private static long byteSize(GgmlType type, long[] shape, String what, HeaderCursor in) {
    long row = shape[shape.length - 1];
    if (row % type.blockElements() != 0) {
      throw in.corrupt(
          what
              + " has rows of "
              + row
              + " elements, not a multiple of the "
              + type.blockElements()
              + " in a block of "
              + type);
    }
    long bytes = row / type.blockElements() * type.blockBytes();
    try {
      for (int d = 0; d < shape.length - 1; d++) {
        bytes = Math.multiplyExact(bytes, shape[d]);
      }
    } catch (ArithmeticException e) {
      throw in.corrupt(what + " has an impossible shape " + Arrays.toString(shape));
    }
    return bytes;
  }

  private static Map<String, GgufTensor> place(
      List<Entry> entries, long dataStart, long fileBytes, long alignment, HeaderCursor in) {
    Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    long room = fileBytes - dataStart;
    for (Entry entry : entries) {
      String what = "tensor '" + entry.name + "'";
      if (entry.offset < 0 || entry.offset > room || entry.byteSize > room - entry.offset) {
        throw in.corrupt(
            what
                + " takes "
                + entry.byteSize
                + " bytes from "
                + Long.toUnsignedString(entry.offset)
                + " on, but the file has "
                + Math.max(room, 0)
                + " bytes of data: truncated?");
      }
      if (entry.offset % alignment != 0) {
        throw in.corrupt(
            what + " begins at byte " + entry.offset + ", not a multiple of " + alignment);
      }
      GgufTensor tensor =
          new GgufTensor(
              entry.name, entry.type, entry.shape, dataStart + entry.offset, entry.byteSize);
      if (tensors.put(entry.name, tensor) != null) {
        throw in.corrupt(what + " is there twice");
      }
    }
    List<GgufTensor> order = new ArrayList<>(tensors.values());
    order.sort(Comparator.comparingLong(GgufTensor::begin));
    for (int i = 1; i < order.size(); i++) {
      GgufTensor before = order.get(i - 1);
      if (before.begin() + before.byteSize() > order.get(i).begin()) {
        throw in.corrupt(
            "tensors '" + before.name() + "' and '" + order.get(i).name() + "' overlap");
      }
    }
    return tensors;
  }
}
