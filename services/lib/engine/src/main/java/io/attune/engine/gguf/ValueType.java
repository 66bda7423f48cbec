package io.attune.engine.gguf;

/** Types of metadata values, in the order of their numbers. */
enum ValueType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final ValueType[] VALUES = values();
  private final int bytes;

  ValueType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of a value; 0 where that varies. */
  int bytes() {
    return bytes;
  }

  static ValueType of(int id, HeaderCursor in, String where) {
    if (id < 0 || id >= VALUES.length) {
      throw in.corrupt(where + " has the unknown type " + Integer.toUnsignedString(id));
    }
    return VALUES[id];
  }
}
