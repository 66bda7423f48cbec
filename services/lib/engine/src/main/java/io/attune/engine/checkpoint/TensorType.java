package io.attune.engine.checkpoint;

import java.util.Locale;
import java.util.Optional;

/**
 * Element types that are read and written, by their safetensors names.
 *
 * <p>The order is the reference implementation's: files list wider types first, so that every
 * tensor starts at a multiple of its own element size.
 */
public enum TensorType {
  BOOL(1),
  U8(1),
  I8(1),
  I16(2),
  F16(2),
  BF16(2),
  I32(4),
  F32(4),
  F64(8),
  I64(8);

  private final int bytes;

  TensorType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The type that a safetensors header or a config's {@code dtype} calls {@code name}. */
  public static Optional<TensorType> named(String name) {
    for (TensorType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "float32" -> Optional.of(F32);
      case "float16" -> Optional.of(F16);
      case "bfloat16" -> Optional.of(BF16);
      case "float64" -> Optional.of(F64);
      default -> Optional.empty();
    };
  }
}
