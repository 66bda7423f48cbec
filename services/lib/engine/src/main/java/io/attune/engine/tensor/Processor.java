package io.attune.engine.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** What the processor's instructions are good for. */
public final class Processor {
  /** As Linux names AVX-512's and AMX's products of bfloat16, and those of ARM. */
  private static final Pattern BFLOAT16 =
      Pattern.compile("^(flags|Features)\\s*:.*\\b(avx512_bf16|amx_bf16|bf16)\\b");

  private static final boolean MULTIPLIES_BFLOAT16 = multipliesBfloat16(cpuInfo());

  private Processor() {}

  /**
   * Whether products of bfloat16 are faster than those of float32. Where they are emulated, they
   * take about ten times as long. False where the system does not tell.
   */
  public static boolean multipliesBfloat16() {
    return MULTIPLIES_BFLOAT16;
  }

  static boolean multipliesBfloat16(List<String> cpuInfo) {
    return cpuInfo.stream().anyMatch(line -> BFLOAT16.matcher(line).find());
  }

  private static List<String> cpuInfo() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo"));
    } catch (IOException notLinux) {
      return List.of();
    }
  }
}
