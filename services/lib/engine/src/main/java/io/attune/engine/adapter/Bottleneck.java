package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.BottleneckConfig.Scales;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Residual;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Bottleneck adapters: s U f(D x + d) + u, with D [R, E] and U [E, R], added to what a sublayer
 * computed. x is that itself (Houlsby et al., arXiv 1902.00751), the stream with it added and
 * normalised (Pfeiffer et al., arXiv 2005.00247), or what the sublayer read, before a norm of its
 * own (parallel adapters; He et al., arXiv 2110.04366).
 *
 * <p>Settings, modules and arithmetic are AdapterHub's; PEFT has no such adapter, so that the names
 * of {@code peft_type} and of the tensors' prefix are of this implementation.
 */
final class Bottleneck extends PeftAdapter {
  private final BottleneckConfig settings;

  /** Sublayers that have an adapter, and the size of its bottleneck. */
  private final Map<Sublayer, Integer> sizes = new LinkedHashMap<>();

  private final WholeWeights whole;

  Bottleneck(AdapterConfig config, BaseModel base) {
    super(config, base);
    settings = BottleneckConfig.parse(config);
    for (Sublayer sublayer : base.sublayers()) {
      if (settings.has(sublayer)) {
        sizes.put(sublayer, settings.size(config, sublayer));
      }
    }
    requireLayers();
    whole = new WholeWeights(config, base, tensors, AdapterTensors.PEFT, module -> false, null);
  }

  private void requireLayers() {
    int layers = 1 + base.sublayers().stream().mapToInt(Sublayer::index).max().orElse(-1);
    for (int index : settings.leftOut()) {
      if (index < 0 || index >= layers) {
        throw config.incompatible("leave_out names layer " + index + "; there are " + layers);
      }
    }
    for (int index : settings.reductions().keySet()) {
      if (index >= layers) {
        throw config.incompatible(
            "reduction_factor names layer " + index + "; there are " + layers);
      }
    }
    if (settings.kinds().contains(Sublayer.Kind.CROSS_ATTENTION)
        && base.sublayers().stream().noneMatch(s -> s.kind() == Sublayer.Kind.CROSS_ATTENTION)) {
      throw config.incompatible("cross_adapter is true; this model has no cross-attention");
    }
    if (sizes.isEmpty()) {
      throw config.incompatible("the settings leave no layer of this model with an adapter");
    }
  }

  private static String module(Sublayer sublayer) {
    return sublayer.layer()
        + switch (sublayer.kind()) {
          case SELF_ATTENTION -> ".attention_adapters";
          case CROSS_ATTENTION -> ".cross_attention_adapters";
          case FEED_FORWARD -> ".output_adapters";
        };
  }

  /** Names and shapes of an adapter's tensors, in order. */
  private Map<String, Shape> shapes(Sublayer sublayer) {
    int size = sizes.get(sublayer);
    String module = module(sublayer);
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(module + ".adapter_down.0.weight", new Shape(size, sublayer.size()));
    shapes.put(module + ".adapter_down.0.bias", new Shape(size));
    shapes.put(module + ".adapter_up.weight", new Shape(sublayer.size(), size));
    shapes.put(module + ".adapter_up.bias", new Shape(sublayer.size()));
    if (settings.scales() != Scales.NONE) {
      int scales = settings.scales() == Scales.LEARNED ? 1 : sublayer.size();
      shapes.put(module + ".scaling", new Shape(scales));
    }
    return shapes;
  }

  @Override
  void read(TensorReader file) {
    for (Sublayer sublayer : sizes.keySet()) {
      shapes(sublayer).forEach((name, shape) -> tensors.read(file, name, shape));
    }
    whole.read(file);
  }

  @Override
  void initialise(Start start) {
    String init = config.choice("init_weights", "bert", List.of("bert", "mam_adapter", "houlsby"));
    Draws draws = new Draws(start.seed(), "bottleneck");
    for (Sublayer sublayer : sizes.keySet()) {
      shapes(sublayer)
          .forEach((name, shape) -> tensors.add(name, values(init, name, shape, draws), shape));
    }
    whole.initialise(start);
  }

  private static float[] values(String init, String name, Shape shape, Draws draws) {
    if (name.endsWith(".scaling")) {
      return Draws.constant(shape.size(), 1);
    } else if (name.endsWith(".bias")) {
      return Draws.constant(shape.size(), 0);
    }
    return switch (init) {
      case "bert" -> draws.normal(shape.size(), 0.02);
      case "houlsby" -> draws.truncatedNormal(shape.size(), 0.01);
      default ->
          name.endsWith(".adapter_up.weight")
              ? Draws.constant(shape.size(), 0)
              : draws.uniform(shape.size(), (int) shape.get(1));
    };
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    Projection dense = inner.projection();
    Residual plain = inner.residual();
    double dropout = training ? settings.dropout() : 0;
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return dense.emit(out, input, layers);
          }

          @Override
          public String weight(MethodWriter out, Linear layer) {
            return dense.weight(out, layer);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding table) {
            return whole.lookup(dense, out, ids, table);
          }
        };
    Residual residual =
        (out, sublayer, stream, result, norm) -> {
          String changed = emit(out, sublayer, stream, result, norm, dropout);
          return plain.emit(out, sublayer, stream, changed, norm);
        };
    return inner.withProjection(projection).withResidual(residual);
  }

  /** Emits a sublayer's result, changed by its adapter. */
  private String emit(
      MethodWriter out,
      Sublayer sublayer,
      String stream,
      String result,
      UnaryOperator<String> norm,
      double dropout) {
    if (!sizes.containsKey(sublayer)) {
      return result;
    }
    String module = module(sublayer);
    String x = result;
    if (settings.parallel()) {
      x = stream;
    } else if (settings.normFirst()) {
      x = norm.apply(out.value("torch.add(%s, %s)", stream, result));
    }
    String low = emitLinear(out, x, module + ".adapter_down.0");
    low = Activation.emit(out, settings.nonLinearity(), low);
    String high = emitLinear(out, low, module + ".adapter_up");
    if (settings.scales() != Scales.NONE) {
      high = out.value("torch.mul(%s, %s)", high, out.weight(module + ".scaling"));
    }
    if (dropout > 0) {
      high = out.value("torch.dropout(%s, %s, True)", high, MethodWriter.number(dropout));
    }
    return out.value(
        "torch.add(%s, %s, alpha=%s)", result, high, MethodWriter.number(settings.scaling()));
  }

  private static String emitLinear(MethodWriter out, String x, String module) {
    return out.value(
        "torch.linear(%s, %s, %s)",
        x, out.weight(module + ".weight"), out.weight(module + ".bias"));
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> from, NDManager into) {
    throw new EngineException(
        Reason.UNSUPPORTED,
        config.where()
            + ": an adapter of type "
            + config.text("peft_type", "")
            + " cannot be merged: its layers have a non-linear function, and the model has no place"
            + " for them; serve it with --adapter");
  }

  @Override
  public Map<String, NDArray> unmerged(Function<String, NDArray> from, NDManager into) {
    return new LinkedHashMap<>(merged(from, into));
  }
}
