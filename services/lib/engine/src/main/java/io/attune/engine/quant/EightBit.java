package io.attune.engine.quant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Eight bits a weight, as {@code load_in_8bit} has it (LLM.int8, Dettmers et al., arXiv
 * 2208.07339): each output's weights divided by their largest magnitude and rounded to 127ths.
 *
 * <p>Only weights are quantized, not what they are multiplied with: so does bitsandbytes when it
 * trains on CPU ({@code MatMul8bitFp}), where eight-bit products save nothing. Weights are first
 * rounded to float16, as there.
 */
public record EightBit() implements Quantizer {
  static final String CODES = ".codes";
  static final String ABSMAX = ".absmax";

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def eight_bit(self: SELF, weight: Tensor) -> Tuple[Tensor, Tensor]:
            half = torch.to(weight, 5)
            absmax = torch.to(torch.amax(torch.abs(half), [1]), 6)
            scale = torch.unsqueeze(torch.mul(torch.reciprocal(absmax), 127.), 1)
            codes = torch.nan_to_num(torch.mul(torch.to(half, 6), scale), 0.)
            return (torch.to(torch.round(codes), 1), absmax)
          """);

  @Override
  public Map<String, NDArray> quantize(NDArray weight, NDManager scope) {
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      NDList result = PROGRAM.run(scope, "eight_bit", new NDList(weight), List.of());
      Map<String, NDArray> parts = new LinkedHashMap<>();
      parts.put(CODES, result.get(0));
      parts.put(ABSMAX, result.get(1));
      return parts;
    }
  }

  @Override
  public Map<String, NDArray> tables(NDManager scope) {
    return Map.of();
  }

  @Override
  public String emit(MethodWriter out, Linear layer) {
    return out.value(
        "torch.mul_(torch.to(%s, 6), torch.unsqueeze(torch.mul(%s, %s), 1))",
        out.weight(layer.weight() + CODES),
        out.weight(layer.weight() + ABSMAX),
        MethodWriter.number(1.0 / 127));
  }
}
