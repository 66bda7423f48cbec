package io.attune.engine.gguf;

/** Between float32 and the two 16-bit formats; to the nearest, ties to even. */
final class HalfPrecision {
  private static final int INFINITY = 0x7F800000;

  private HalfPrecision() {}

  static float fromBfloat16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7FFFFFFF) > INFINITY) {
      return (short) ((bits >>> 16) | 0x40); // a quiet NaN; rounding could make it an infinity
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** IEEE 754 binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction bits. */
  static float fromFloat16(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >>> 10) & 0x1F;
    int fraction = half & 0x3FF;
    if (exponent == 0) {
      float subnormal = fraction * 0x1p-24f;
      return sign == 0 ? subnormal : -subnormal;
    }
    int wide = exponent == 0x1F ? INFINITY : (exponent + 127 - 15) << 23;
    return Float.intBitsToFloat(sign | wide | fraction << 13);
  }

  /** Values beyond 65504 become infinite, as torch's {@code to(float16)} makes them. */
  static short toFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude >= INFINITY) {
      return (short) (sign | (magnitude > INFINITY ? 0x7E00 : 0x7C00));
    }
    if (magnitude < 0x38800000) { // below the smallest normal number, 2^-14
      // The unit of these is 2^-24: adding 0.5 shifts everything below it out, rounded.
      float shifted = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | (Float.floatToRawIntBits(shifted) - 0x3F000000));
    }
    int rounded = magnitude + 0xFFF + ((magnitude >>> 13) & 1);
    int half = (rounded - 0x38000000) >>> 13;
    return (short) (sign | Math.min(half, 0x7C00));
  }
}
