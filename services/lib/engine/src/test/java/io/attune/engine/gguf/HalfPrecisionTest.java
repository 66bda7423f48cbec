package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HalfPrecisionTest {

  /** The number that 16 bits stand for, by the definition of binary16. */
  private static double meaning(int half) {
    int exponent = half >> 10 & 0x1F;
    double fraction = (half & 0x3FF) / 1024.0;
    double magnitude =
        exponent == 0x1F
            ? (half & 0x3FF) == 0 ? Double.POSITIVE_INFINITY : Double.NaN
            : exponent == 0
                ? fraction * Math.pow(2, -14)
                : (1 + fraction) * Math.pow(2, exponent - 15);
    return (half & 0x8000) == 0 ? magnitude : -magnitude;
  }

  @Test
  void everyFloat16IsItsMeaningAndComesBack() {
    for (int half = 0; half < 1 << 16; half++) {
      float wide = HalfPrecision.fromFloat16((short) half);
      assertThat(Double.compare(wide, meaning(half))).as("%x", half).isZero();
      if (!Float.isNaN(wide)) {
        assertThat(HalfPrecision.toFloat16(wide)).isEqualTo((short) half);
      }
    }
    assertThat(HalfPrecision.fromFloat16(HalfPrecision.toFloat16(Float.NaN))).isNaN();
  }

  @Test
  void float16IsTheNearestWithTiesToEven() {
    for (int half = 0; half < 0x7BFF; half++) {
      double low = meaning(half);
      double high = meaning(half + 1);
      float middle = (float) ((low + high) / 2);
      short even = (short) (half % 2 == 0 ? half : half + 1);
      assertThat(HalfPrecision.toFloat16(middle)).isEqualTo(even);
      assertThat(HalfPrecision.toFloat16(Math.nextDown(middle))).isEqualTo((short) half);
      assertThat(HalfPrecision.toFloat16(Math.nextUp(middle))).isEqualTo((short) (half + 1));
      assertThat(HalfPrecision.toFloat16(-Math.nextUp(middle)))
          .isEqualTo((short) (half + 1 | 0x8000));
    }
    assertThat(HalfPrecision.toFloat16(65519f)).isEqualTo((short) 0x7BFF);
    assertThat(HalfPrecision.toFloat16(65520f)).isEqualTo((short) 0x7C00);
    assertThat(HalfPrecision.toFloat16(1e30f)).isEqualTo((short) 0x7C00);
  }

  @Test
  void bfloat16IsTheNearestWithTiesToEven() {
    Random random = new Random(5);
    for (int i = 0; i < 100_000; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      short rounded = HalfPrecision.toBfloat16(value);
      if (Float.isNaN(value)) {
        assertThat(HalfPrecision.fromBfloat16(rounded)).isNaN();
        continue;
      }
      int low = Float.floatToRawIntBits(value) >>> 16;
      int rest = Float.floatToRawIntBits(value) & 0xFFFF;
      boolean up = rest > 0x8000 || rest == 0x8000 && low % 2 == 1;
      assertThat(rounded).isEqualTo((short) (up ? low + 1 : low));
    }
    assertThat(HalfPrecision.toBfloat16(Float.intBitsToFloat(0x3F808000)))
        .isEqualTo((short) 0x3F80);
    assertThat(HalfPrecision.toBfloat16(Float.intBitsToFloat(0x3F818000)))
        .isEqualTo((short) 0x3F82);
  }
}
