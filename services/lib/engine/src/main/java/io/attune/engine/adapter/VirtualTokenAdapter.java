package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Kinds that put virtual tokens before each text and leave the model's layers as they are. */
abstract class VirtualTokenAdapter extends PeftAdapter {
  /** The one tensor of the kind in PEFT's file. */
  static final String EMBEDDINGS = "prompt_embeddings";

  /** What PEFT puts before names, since the model's modules stay where they are. */
  private static final String PEFT = "base_model.";

  final int count;
  final Embedding table;
  final WholeWeights whole;

  VirtualTokenAdapter(AdapterConfig config, BaseModel base, ToIntFunction<BaseModel> tokenSize) {
    super(config, base);
    if (base.embedding() == null) {
      throw config.incompatible("a model of this kind takes no virtual tokens");
    }
    table = base.embedding();
    if (config.json().path("num_virtual_tokens").isMissingNode()) {
      throw config.invalid("num_virtual_tokens", "is missing");
    }
    count = config.size("num_virtual_tokens", 1);
    if (config.size("num_transformer_submodules", 1) != 1) {
      throw config.unsupported("num_transformer_submodules", "only 1 is implemented");
    }
    requireEqual("token_dim", tokenSize.applyAsInt(base));
    requireEqual("num_layers", base.layers());
    whole = new WholeWeights(config, base, tensors, PEFT, module -> false, null);
  }

  private void requireEqual(String key, int expected) {
    if (config.size(key, expected) != expected) {
      throw config.incompatible(
          "'" + key + "' is " + config.json().path(key) + "; this model asks for " + expected);
    }
  }

  @Override
  public int[] virtualTokens() {
    return IntStream.range(table.vocabulary(), table.vocabulary() + count).toArray();
  }

  /** Emits whether each of {@code ids} [N] is a virtual token, [N]. */
  String emitIsVirtual(MethodWriter out, String ids) {
    return out.value("torch.ge(%s, %d)", ids, table.vocabulary());
  }

  /** Emits the place of each virtual token among them, [N]; 0 for others. */
  String emitPlaces(MethodWriter out, String ids) {
    return out.value("torch.clamp(torch.sub(%s, %d), 0)", ids, table.vocabulary());
  }

  /** Emits {@code ids} with some real token in the place of each virtual one, [N]. */
  String emitReal(MethodWriter out, String ids) {
    return out.value("torch.clamp(%s, 0, %d)", ids, table.vocabulary() - 1);
  }

  /** Adds a weight and a bias as {@code torch.nn.Linear} starts with them; trained, not saved. */
  void addLinear(String module, int inputs, int outputs, Draws draws) {
    addUniform(module + ".weight", new Shape(outputs, inputs), inputs, draws);
    addUniform(module + ".bias", new Shape(outputs), inputs, draws);
  }

  /** Adds a weight that is trained and not saved, uniform in +-1/sqrt(fan). */
  void addUniform(String name, Shape shape, int fan, Draws draws) {
    add(name, draws.uniform(shape.size(), fan), shape);
  }

  void add(String name, float[] values, Shape shape) {
    tensors.add(name, null, tensors.scope().create(values, shape), true);
  }

  /** Emits {@code x} W^T + b. */
  static String emitLinear(MethodWriter out, String x, String module) {
    return out.value(
        "torch.linear(%s, %s, %s)",
        x, out.weight(module + ".weight"), out.weight(module + ".bias"));
  }

  /**
   * Computes what some code leaves in variable {@code result}.
   *
   * @return row-major
   */
  float[] compute(Consumer<MethodWriter> code) {
    MethodWriter out = new MethodWriter();
    code.accept(out);
    out.line("return result");
    String method = out.method("compute", "(self: SELF, w: List[Tensor]) -> Tensor");
    try (NDManager scope = Torch.scope("virtual-tokens");
        Torch.GradMode mode = Torch.gradMode(false)) {
      List<NDArray> weights = out.weights().stream().map(tensors::get).toList();
      return TorchPrograms.compile(method)
          .run(scope, "compute", new NDList(), weights)
          .get(0)
          .toFloatArray();
    }
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> from, NDManager into) {
    throw new EngineException(
        Reason.UNSUPPORTED,
        config.where()
            + ": an adapter of type "
            + config.text("peft_type", "")
            + " cannot be merged: its virtual tokens are no part of the model's weights; serve it"
            + " with --adapter");
  }

  @Override
  public Map<String, NDArray> unmerged(Function<String, NDArray> from, NDManager into) {
    return new LinkedHashMap<>(merged(from, into));
  }
}
