package io.attune.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessorTest {
  private static boolean multiplies(String line) {
    return Processor.multipliesBfloat16(List.of("processor\t: 0", line, "bogomips\t: 5000.00"));
  }

  @Test
  void theFlagsOfLinuxTell() {
    assertThat(multiplies("flags\t\t: fpu avx2 avx512f avx512_bf16 vaes")).isTrue();
    assertThat(multiplies("flags\t\t: fpu avx2 amx_bf16 amx_tile")).isTrue();
    assertThat(multiplies("Features\t: fp asimd i8mm bf16")).isTrue();
    assertThat(multiplies("flags\t\t: fpu avx2 avx512f avx512_vnni")).isFalse();
    assertThat(multiplies("Features\t: fp asimd")).isFalse();
    assertThat(multiplies("model name\t: a bf16 thing")).isFalse();
    assertThat(Processor.multipliesBfloat16(List.of())).isFalse();
  }
}
