package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * DoRA (Liu et al., arXiv 2402.09353): y = m / ||W + s B A|| (W + s B A) x, a trained length m
 * [outputs] for each output. The norm counts as a constant in the derivative (section 4.3).
 *
 * <p>Training computes the norm anew each time; otherwise m / ||W + s B A|| is a weight by itself,
 * computed once.
 */
final class Dora {
  private static final String SCALE = ".dora_scale";

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def norm(self: SELF, dim: Tensor, w: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(w[0], 2, [int(dim)])

          def scaled(self: SELF, scale: Tensor, w: List[Tensor]) -> Tensor:
            return torch.mul(w[0], scale)

          def unscaled(self: SELF, scale: Tensor, w: List[Tensor]) -> Tensor:
            return torch.div(w[0], scale)
          """);

  private Dora() {}

  /** The name of m. */
  static String magnitude(Lora.LowRank module) {
    return module.linear().name() + ".lora_magnitude_vector";
  }

  /** The module whose m / ||W + s B A|| is called {@code name}, or null. */
  static Lora.@Nullable LowRank moduleOfScale(String name, Map<String, Lora.LowRank> byModule) {
    return name.endsWith(SCALE)
        ? byModule.get(name.substring(0, name.length() - SCALE.length()))
        : null;
  }

  /** ||W + s B A||, [outputs], to be owned by the caller. */
  static NDArray norm(Lora.LowRank module, Adapter adapter, BaseModel base) {
    try (NDManager work = Torch.scope("dora");
        Torch.GradMode mode = Torch.gradMode(false)) {
      String weight = module.linear().weight();
      NDArray own = adapter.weight(weight);
      NDArray from = own == null ? base.dense(weight, work) : own;
      NDArray sum = LowRankSum.add(module, adapter, from, module.scale(), work);
      NDArray dim = work.create(module.linear().transposed() ? 0L : 1L);
      return PROGRAM.run(Torch.root(), "norm", new NDList(dim), List.of(sum)).get(0);
    }
  }

  /** m / ||W + s B A||, [outputs], owned by the adapter. */
  static NDArray scale(Lora.LowRank module, Lora adapter, BaseModel base) {
    try (NDArray norm = norm(module, adapter, base);
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray scale = adapter.weight(magnitude(module)).div(norm);
      scale.attach(adapter.tensors.scope());
      return scale;
    }
  }

  /** Emits y from W x + bias and A x. */
  static String emit(
      Projection inner,
      MethodWriter out,
      Lora.LowRank module,
      boolean training,
      String result,
      String low) {
    String scale = emitScale(inner, out, module, training);
    boolean bias = module.linear().bias();
    String plain =
        bias
            ? out.value("torch.sub(%s, %s)", result, out.weight(module.linear().biasName()))
            : result;
    String sum =
        out.value(
            "torch.addmm(%s, %s, torch.t(%s), alpha=%s)",
            plain, low, out.weight(module.b()), MethodWriter.number(module.scale()));
    return bias
        ? out.value("torch.addcmul(%s, %s, %s)", out.weight(module.linear().biasName()), sum, scale)
        : out.value("torch.mul(%s, %s)", sum, scale);
  }

  /**
   * As {@link #emit} in training with dropout, where PEFT leaves W x as it is and adds what the
   * lengths change of the dropped-out x.
   *
   * @param plain W x' + bias, for the dropped-out x'
   * @param low A x'
   */
  static String emitDropped(
      Projection inner,
      MethodWriter out,
      Lora.LowRank module,
      String result,
      String plain,
      String low) {
    String scale = emitScale(inner, out, module, true);
    String base =
        module.linear().bias()
            ? out.value("torch.sub(%s, %s)", plain, out.weight(module.linear().biasName()))
            : plain;
    String update =
        out.value(
            "torch.mul(torch.mm(%s, torch.t(%s)), %s)",
            low, out.weight(module.b()), MethodWriter.number(module.scale()));
    return out.value(
        "torch.add(torch.addcmul(%s, torch.sub(%s, 1), %s), torch.mul(%s, %s))",
        result, scale, base, scale, update);
  }

  private static String emitScale(
      Projection inner, MethodWriter out, Lora.LowRank module, boolean training) {
    if (!training) {
      return out.weight(module.linear().name() + SCALE);
    }
    String weight = inner.weight(out, module.linear());
    String sum =
        out.value(
            "torch.addmm(%s, torch.detach(%s), torch.detach(%s), alpha=%s)",
            module.linear().transposed() ? "torch.t(" + weight + ")" : weight,
            out.weight(module.b()),
            out.weight(module.a()),
            MethodWriter.number(module.scale()));
    return out.value(
        "torch.div(%s, torch.linalg_vector_norm(%s, 2, [1]))", out.weight(magnitude(module)), sum);
  }

  /** W + s B A with each output's length, in the place of the sum. */
  static NDArray scaled(Lora.LowRank module, Lora adapter, NDArray sum, NDManager into) {
    try (sum) {
      return apply("scaled", module, adapter, sum, into);
    }
  }

  /** Takes the lengths away again. */
  static NDArray unscaled(Lora.LowRank module, Lora adapter, NDArray merged, NDManager into) {
    return apply("unscaled", module, adapter, merged, into);
  }

  private static NDArray apply(
      String method, Lora.LowRank module, Lora adapter, NDArray weight, NDManager into) {
    try (NDArray scale = scale(module, adapter, adapter.base);
        Torch.GradMode mode = Torch.gradMode(false)) {
      long outputs = module.linear().outputs();
      Shape shape = module.linear().transposed() ? new Shape(1, outputs) : new Shape(outputs, 1);
      try (NDArray column = scale.reshape(shape)) {
        return PROGRAM.run(into, method, new NDList(column), List.of(weight)).get(0);
      }
    }
  }
}
