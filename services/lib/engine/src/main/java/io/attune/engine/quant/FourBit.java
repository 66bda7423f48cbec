package io.attune.engine.quant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.tensor.DynamicMap;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Four bits a weight (Dettmers et al., arXiv 2305.14314): blocks of a weight, row by row, divided
 * by their largest magnitude, each value rounded to the nearest of sixteen. With double
 * quantization the magnitudes, less their mean, are held in eight bits, in blocks of 256.
 *
 * <p>Codes, scales and their rounding are those of bitsandbytes 0.50 on CPU, bit for bit. Two codes
 * share a byte, the first in its upper half.
 *
 * @param blockSize weights that share a scale: a power of two from 32 to 4096
 */
public record FourBit(FourBitType type, int blockSize, boolean doubleQuantization)
    implements Quantizer {
  /** Weights that share a scale unless something else is said. */
  public static final int BLOCK_SIZE = 64;

  /** Scales that share a scale. */
  private static final int NESTED_BLOCK = 256;

  static final String CODES = ".codes";
  static final String ABSMAX = ".absmax";
  static final String NESTED_ABSMAX = ".nested_absmax";
  static final String NESTED_OFFSET = ".nested_offset";

  private static final String PAIRS = "four_bit.pairs";
  private static final String NESTED_MAP = "four_bit.nested_quant_map";

  // A full block is multiplied with the reciprocal, a last shorter one divided; only the latter's
  // scale is bounded from below. The nested codes are looked up on a grid of 65536 places: all this
  // is how the reference rounds.
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def codes(self: SELF, scaled: Tensor, bounds: Tensor, ascending: Tensor) -> Tensor:
            place = torch.bucketize(torch.clamp(scaled, -1, 1), bounds, out_int32=True)
            return torch.index_select(ascending, 0, torch.reshape(place, [-1]))

          def four_bit(self: SELF, weight: Tensor, block: Tensor, piece: Tensor, bounds: Tensor, ascending: Tensor) -> Tuple[Tensor, Tensor]:
            flat = torch.reshape(weight, [-1])
            size = int(block)
            step = int(piece)
            n = torch.size(flat, 0)
            full = n - n % size
            scales = annotate(List[Tensor], [])
            codes = annotate(List[Tensor], [])
            for i in range((full + step - 1) // step):
              whole = torch.view(torch.slice(flat, 0, i * step, min((i + 1) * step, full)), [-1, size])
              absmax = torch.amax(torch.abs(whole), [1])
              inverse = torch.reciprocal(torch.clamp(absmax, 9.9999999999999994e-39))
              a = torch.append(scales, absmax)
              b = torch.append(codes, self.codes(torch.mul(whole, torch.unsqueeze(inverse, 1)), bounds, ascending))
            if full < n:
              rest = torch.slice(flat, 0, full, n)
              last = torch.clamp(torch.amax(torch.abs(rest), [0], True), 9.9999999999999994e-39)
              c = torch.append(scales, last)
              d = torch.append(codes, self.codes(torch.div(rest, last), bounds, ascending))
            if n % 2 == 1:
              e = torch.append(codes, self.codes(torch.zeros([1]), bounds, ascending))
            all = torch.view(torch.cat(codes), [-1, 2])
            high = torch.bitwise_left_shift(torch.select(all, 1, 0), 4)
            return (torch.bitwise_or(high, torch.select(all, 1, 1)), torch.cat(scales))

          def nested(self: SELF, absmax: Tensor, block: Tensor, bounds: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            size = int(block)
            n = torch.size(absmax, 0)
            offset = torch.mean(absmax)
            blocks = (n + size - 1) // size
            centred = torch.constant_pad_nd(torch.sub(absmax, offset), [0, blocks * size - n])
            centred = torch.view(centred, [blocks, size])
            scale = torch.amax(torch.abs(centred), [1])
            scaled = torch.clamp(torch.mul(centred, torch.unsqueeze(torch.reciprocal(scale), 1)), -1, 1)
            half = torch.mul(torch.add(scaled, 1), 0.5)
            place = torch.trunc(torch.to(torch.add(torch.mul(torch.to(half, 7), 65535), 0.5), 6))
            grid = torch.sub(torch.div(torch.mul(place, 2), 65535), 1)
            code = torch.to(torch.bucketize(grid, bounds, out_int32=True), 0)
            code = torch.where(torch.unsqueeze(torch.eq(scale, 0), 1), torch.zeros_like(code), code)
            return (torch.slice(torch.reshape(code, [-1]), 0, 0, n), scale, offset)
          """);

  /** Weights that are quantized at once: bounds what is needed beside the weight itself. */
  private static final long PIECE = 1 << 22;

  public FourBit {
    if (blockSize < 32 || blockSize > 4096 || Integer.bitCount(blockSize) != 1) {
      throw new IllegalArgumentException(
          "a block has " + blockSize + " weights; a power of two from 32 to 4096 is needed");
    }
  }

  @Override
  public Map<String, NDArray> quantize(NDArray weight, NDManager scope) {
    Map<String, NDArray> parts = new LinkedHashMap<>();
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray ascending = work.create(type.ascending()).toType(DataType.UINT8, false);
      NDList inputs = new NDList(weight, work.create((long) blockSize), work.create(PIECE));
      inputs.addAll(new NDList(work.create(type.bounds()), ascending));
      NDList result = PROGRAM.run(work, "four_bit", inputs, List.of());
      NDArray absmax = result.get(1);
      parts.put(CODES, result.get(0));
      if (doubleQuantization) {
        NDList scales = new NDList(absmax, work.create((long) NESTED_BLOCK));
        scales.add(work.create(DynamicMap.bounds()));
        NDList nested = PROGRAM.run(work, "nested", scales, List.of());
        parts.put(ABSMAX, nested.get(0));
        parts.put(NESTED_ABSMAX, nested.get(1));
        parts.put(NESTED_OFFSET, nested.get(2));
      } else {
        parts.put(ABSMAX, absmax);
      }
      parts.values().forEach(part -> part.attach(scope));
    }
    return parts;
  }

  @Override
  public Map<String, NDArray> tables(NDManager scope) {
    Map<String, NDArray> tables = new LinkedHashMap<>();
    tables.put(PAIRS, scope.create(type.pairs(), new Shape(256, 2)));
    if (doubleQuantization) {
      tables.put(NESTED_MAP, scope.create(DynamicMap.values(true)));
    }
    return tables;
  }

  /** Both values of a byte are looked up at once, as if they were one complex number. */
  @Override
  public String emit(MethodWriter out, Linear layer) {
    String name = layer.weight();
    long size = (long) layer.outputs() * layer.inputs();
    long blocks = (size + blockSize - 1) / blockSize;
    String scales = emitScales(out, name, blocks);
    String values =
        out.value(
            "torch.reshape(torch.view_as_real(torch.index_select(torch.view_as_complex(%s), 0,"
                + " torch.to(%s, 3))), [-1])",
            out.weight(PAIRS), out.weight(name + CODES));
    if (size % 2 == 1) {
      values = out.value("torch.slice(%s, 0, 0, %d)", values, size);
    }
    String scaled = emitScaled(out, values, scales, size, blockSize);
    return out.value("torch.view(%s, [%d, %d])", scaled, layer.outputs(), layer.inputs());
  }

  private String emitScales(MethodWriter out, String name, long blocks) {
    if (!doubleQuantization) {
      return out.weight(name + ABSMAX);
    }
    String values =
        out.value(
            "torch.index_select(%s, 0, torch.to(%s, 3))",
            out.weight(NESTED_MAP), out.weight(name + ABSMAX));
    String scaled = emitScaled(out, values, out.weight(name + NESTED_ABSMAX), blocks, NESTED_BLOCK);
    return out.value("torch.add(%s, %s)", scaled, out.weight(name + NESTED_OFFSET));
  }

  /** Emits values, each times its block's scale, in their own place. */
  private static String emitScaled(
      MethodWriter out, String values, String scales, long count, int block) {
    if (count % block == 0) {
      return out.value(
          "torch.reshape(torch.mul_(torch.view(%s, [-1, %d]), torch.unsqueeze(%s, 1)), [-1])",
          values, block, scales);
    }
    return out.value(
        "torch.mul_(%s, torch.slice(torch.reshape(torch.expand(torch.unsqueeze(%s, 1), [-1, %d]),"
            + " [-1]), 0, 0, %d))",
        values, scales, block, count);
  }
}
