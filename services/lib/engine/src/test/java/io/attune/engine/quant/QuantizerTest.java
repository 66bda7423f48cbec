package io.attune.engine.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.nn.Linear;
import io.attune.engine.tensor.DynamicMap;
import io.attune.engine.tensor.LiveArrays;
import io.attune.engine.tensor.Torch;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Codes and scales are bitsandbytes', bit for bit (make_quant.py). */
class QuantizerTest {
  private static final String FILE = "quant/quant.safetensors";

  static Stream<String> fourBitCases() {
    return Stream.of(
            "float32.even", "float32.odd", "float32.blocks", "bfloat16.even", "bfloat16.odd")
        .flatMap(source -> Stream.of(source + ".nf4", source + ".fp4"))
        .flatMap(kind -> Stream.of(kind + ".plain", kind + ".double"));
  }

  private static FourBit quantizer(String name) {
    FourBitType type = name.contains("nf4") ? FourBitType.NF4 : FourBitType.FP4;
    return new FourBit(type, FourBit.BLOCK_SIZE, name.endsWith("double"));
  }

  private static String source(String name) {
    return String.join(".", Arrays.asList(name.split("\\.")).subList(0, 2));
  }

  @ParameterizedTest
  @MethodSource("fourBitCases")
  void fourBitPartsAreBitEqual(String name) {
    try (NDManager scope = Torch.scope("test");
        SafeTensors file = SafeTensors.open(Golden.path(FILE))) {
      NDArray weight = TensorArrays.readFloat(file, source(name), scope);
      Map<String, NDArray> parts = quantizer(name).quantize(weight, scope);
      assertThat(parts).hasSize(name.endsWith("double") ? 4 : 2);
      parts.forEach(
          (part, array) ->
              assertThat(bytes(array)).as(part).isEqualTo(Golden.bytes(file, name + part)));
    }
  }

  @ParameterizedTest
  @MethodSource("fourBitCases")
  void fourBitWeightsComeBackAsTheReferenceHasThem(String name) {
    try (NDManager scope = Torch.scope("test");
        SafeTensors file = SafeTensors.open(Golden.path(FILE))) {
      NDArray weight = TensorArrays.readFloat(file, source(name), scope);
      QuantizedWeights weights = new QuantizedWeights(quantizer(name), scope);
      weights.put(layer(weight, false), weight);
      NDArray dense = weights.dense("x.weight", scope);
      assertThat(dense.getShape()).isEqualTo(weight.getShape());
      if (file.has(name + ".dense")) {
        assertThat(unsignedZeros(dense.toFloatArray()))
            .isEqualTo(unsignedZeros(Golden.tensor(FILE, name + ".dense")));
      }
      float[] naive = naive(quantizer(name), file, name, (int) weight.size());
      assertThat(dense.toFloatArray()).isEqualTo(naive);
    }
  }

  /** The reference's CPU kernel has FP4's code 8 as -0, its code for rows of odd length as 0. */
  private static float[] unsignedZeros(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] += 0f;
    }
    return values;
  }

  /** Code by code, from the reference's own codes and scales. */
  private static float[] naive(FourBit quantizer, SafeTensors file, String name, int size) {
    byte[] codes = Golden.bytes(file, name + ".codes");
    float[] scales = scales(quantizer, file, name);
    float[] table = quantizer.type().codes();
    float[] dense = new float[size];
    for (int i = 0; i < size; i++) {
      int code = i % 2 == 0 ? (codes[i / 2] & 0xff) >> 4 : codes[i / 2] & 15;
      dense[i] = table[code] * scales[i / quantizer.blockSize()];
    }
    return dense;
  }

  private static float[] scales(FourBit quantizer, SafeTensors file, String name) {
    if (!quantizer.doubleQuantization()) {
      return Golden.tensor(FILE, name + ".absmax");
    }
    byte[] codes = Golden.bytes(file, name + ".absmax");
    float[] nested = Golden.tensor(FILE, name + ".nested_absmax");
    float offset = Golden.tensor(FILE, name + ".nested_offset")[0];
    float[] map = DynamicMap.values(true);
    float[] scales = new float[codes.length];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = map[codes[i] & 0xff] * nested[i / 256] + offset;
    }
    return scales;
  }

  @Test
  void theDynamicMapIsTheReferences() {
    assertThat(DynamicMap.values(true)).isEqualTo(Golden.tensor(FILE, "dynamic_map"));
  }

  @ParameterizedTest
  @MethodSource("eightBitCases")
  void eightBitPartsAreBitEqual(String name) {
    try (NDManager scope = Torch.scope("test");
        SafeTensors file = SafeTensors.open(Golden.path(FILE))) {
      NDArray weight = TensorArrays.readFloat(file, name, scope);
      Map<String, NDArray> parts = new EightBit().quantize(weight, scope);
      parts.forEach(
          (part, array) ->
              assertThat(bytes(array))
                  .as(part)
                  .isEqualTo(Golden.bytes(file, name + ".int8" + part)));
      QuantizedWeights weights = new QuantizedWeights(new EightBit(), scope);
      weights.put(layer(weight, false), weight);
      float[] absmax = parts.get(EightBit.ABSMAX).toFloatArray();
      byte[] codes = bytes(parts.get(EightBit.CODES));
      float[] dense = weights.dense("x.weight", scope).toFloatArray();
      int inputs = (int) weight.getShape().get(1);
      for (int i = 0; i < dense.length; i++) {
        assertThat(dense[i]).isEqualTo(codes[i] * (absmax[i / inputs] * (float) (1.0 / 127)));
      }
    }
  }

  static Stream<String> eightBitCases() {
    return Stream.of("float32.even", "float32.odd", "float32.blocks", "bfloat16.odd");
  }

  /** What the paper promises: no value is further away than half its neighbours' distance. */
  @ParameterizedTest
  @MethodSource("types")
  void eachValueIsRoundedToTheNearest(FourBitType type) {
    float[] values = new float[64 * 50];
    Random random = new Random(3);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    try (NDManager scope = Torch.scope("test")) {
      NDArray weight = scope.create(values, new Shape(50, 64));
      QuantizedWeights weights = new QuantizedWeights(new FourBit(type, 64, false), scope);
      weights.put(layer(weight, false), weight);
      float[] dense = weights.dense("x.weight", scope).toFloatArray();
      for (int block = 0; block < 50; block++) {
        float absmax = 0;
        for (int i = 0; i < 64; i++) {
          absmax = Math.max(absmax, Math.abs(values[block * 64 + i]));
        }
        for (int i = block * 64; i < block * 64 + 64; i++) {
          float best = Float.MAX_VALUE;
          for (float code : type.codes()) {
            best = Math.min(best, Math.abs(code * absmax - values[i]));
          }
          assertThat(Math.abs(dense[i] - values[i])).isLessThanOrEqualTo(best + 1e-6f * absmax);
        }
      }
    }
  }

  static Stream<FourBitType> types() {
    return Stream.of(FourBitType.values());
  }

  @Test
  void aTransposedWeightIsQuantizedByOutputs() {
    try (NDManager scope = Torch.scope("test")) {
      NDArray rows = scope.randomNormal(0, 1, new Shape(24, 40), DataType.FLOAT32);
      NDArray columns = rows.transpose();
      QuantizedWeights plain = new QuantizedWeights(new EightBit(), scope);
      plain.put(layer(rows, false), rows);
      QuantizedWeights transposed = new QuantizedWeights(new EightBit(), scope);
      transposed.put(layer(columns, true), columns);
      NDArray dense = transposed.dense("x.weight", scope);
      assertThat(dense.getShape()).isEqualTo(new Shape(40, 24));
      assertThat(dense.transpose().toFloatArray())
          .isEqualTo(plain.dense("x.weight", scope).toFloatArray());
    }
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void aRowOfZerosStaysZero(Quantizer quantizer) {
    try (NDManager scope = Torch.scope("test")) {
      NDArray zeros = scope.zeros(new Shape(3, 50), DataType.FLOAT32);
      QuantizedWeights weights = new QuantizedWeights(quantizer, scope);
      weights.put(layer(zeros, false), zeros);
      float[] dense = weights.dense("x.weight", scope).toFloatArray();
      assertThat(unsignedZeros(dense)).containsOnly(0f);
    }
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void refusesWhatIsNoNumber(Quantizer quantizer) {
    try (NDManager scope = Torch.scope("test")) {
      float[] values = new float[128];
      values[77] = Float.NaN;
      NDArray weight = scope.create(values, new Shape(2, 64));
      QuantizedWeights weights = new QuantizedWeights(quantizer, scope);
      assertThatThrownBy(() -> weights.put(layer(weight, false), weight))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("x.weight");
    }
  }

  static Stream<Quantizer> quantizers() {
    return Stream.of(
        new EightBit(),
        new FourBit(FourBitType.NF4, 64, true),
        new FourBit(FourBitType.FP4, 64, true),
        new FourBit(FourBitType.NF4, 128, false));
  }

  @Test
  void doubleQuantizedWeightsTakeAboutHalfAByte() {
    try (NDManager scope = Torch.scope("test")) {
      FourBit nf4 = new FourBit(FourBitType.NF4, 64, true);
      NDArray weight = scope.randomNormal(0, 1, new Shape(576, 1536), DataType.FLOAT32);
      nf4.quantize(weight, scope); // what is made once, at the first use, is not to be counted
      int before = LiveArrays.count() - 1; // without the dense weight
      QuantizedWeights weights = new QuantizedWeights(nf4, scope);
      weights.put(layer(weight, false), weight);
      weight.close();
      assertThat((double) weights.bytes() / weights.count()).isBetween(0.51, 0.52);
      assertThat(LiveArrays.count() - before).isEqualTo(6); // two tables, four parts
    }
  }

  private static Linear layer(NDArray weight, boolean transposed) {
    Shape shape = weight.getShape();
    int inputs = (int) shape.get(transposed ? 0 : 1);
    return new Linear("x", inputs, (int) shape.get(transposed ? 1 : 0), false, transposed);
  }

  private static byte[] bytes(NDArray array) {
    java.nio.ByteBuffer buffer = array.toByteBuffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
