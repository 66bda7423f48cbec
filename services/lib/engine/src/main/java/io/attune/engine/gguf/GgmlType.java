package io.attune.engine.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Element types that are dequantised, by their ggml names. Quantised rows consist of blocks: so
 * many elements in so many bytes.
 */
enum GgmlType {
  F32(0, 1, 4, PlainBlocks::f32),
  F16(1, 1, 2, PlainBlocks::f16),
  Q4_0(2, 32, 18, LegacyBlocks::q40),
  Q4_1(3, 32, 20, LegacyBlocks::q41),
  Q5_0(6, 32, 22, LegacyBlocks::q50),
  Q5_1(7, 32, 24, LegacyBlocks::q51),
  Q8_0(8, 32, 34, LegacyBlocks::q80),
  Q4_K(12, 256, 144, SuperBlocks::q4k),
  Q5_K(13, 256, 176, SuperBlocks::q5k),
  Q6_K(14, 256, 210, SuperBlocks::q6k),
  BF16(30, 1, 2, PlainBlocks::bf16);

  private static final Map<Integer, GgmlType> BY_ID =
      Stream.of(values()).collect(Collectors.toUnmodifiableMap(t -> t.id, t -> t));

  /** What ggml calls the types that are not dequantised; ids that it retired are left out. */
  private static final Map<Integer, String> OTHERS =
      Map.ofEntries(
          Map.entry(9, "Q8_1"),
          Map.entry(10, "Q2_K"),
          Map.entry(11, "Q3_K"),
          Map.entry(15, "Q8_K"),
          Map.entry(16, "IQ2_XXS"),
          Map.entry(17, "IQ2_XS"),
          Map.entry(18, "IQ3_XXS"),
          Map.entry(19, "IQ1_S"),
          Map.entry(20, "IQ4_NL"),
          Map.entry(21, "IQ3_S"),
          Map.entry(22, "IQ2_S"),
          Map.entry(23, "IQ4_XS"),
          Map.entry(24, "I8"),
          Map.entry(25, "I16"),
          Map.entry(26, "I32"),
          Map.entry(27, "I64"),
          Map.entry(28, "F64"),
          Map.entry(29, "IQ1_M"),
          Map.entry(34, "TQ1_0"),
          Map.entry(35, "TQ2_0"),
          Map.entry(39, "MXFP4"),
          Map.entry(40, "NVFP4"));

  private final int id;
  private final int blockElements;
  private final int blockBytes;
  private final BlockDecoder decoder;

  GgmlType(int id, int blockElements, int blockBytes, BlockDecoder decoder) {
    this.id = id;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
    this.decoder = decoder;
  }

  static Optional<GgmlType> of(int id) {
    return Optional.ofNullable(BY_ID.get(id));
  }

  /** The name of a type that is not dequantised; empty for a number that ggml does not use. */
  static Optional<String> otherName(int id) {
    return Optional.ofNullable(OTHERS.get(id));
  }

  int blockElements() {
    return blockElements;
  }

  int blockBytes() {
    return blockBytes;
  }

  BlockDecoder decoder() {
    return decoder;
  }
}
