package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * LoRA (Hu et al., arXiv 2106.09685): y = W x + s B A x, with A [R, inputs] and B [outputs, R].
 *
 * <p>Layers that read one input share the product with their A matrices.
 */
public final class Lora implements Adapter {
  private static final String PEFT = "base_model.model.";

  private final LoraConfig config;
  private final NDManager scope = Torch.scope("lora");
  private final Map<String, NDArray> parameters = new LinkedHashMap<>();

  /** Modules that have the adapter, and what their B A x is multiplied with. */
  private final Map<String, Double> scales = new LinkedHashMap<>();

  /** Those of them whose weight is stored as [inputs, outputs]: PEFT's {@code fan_in_fan_out}. */
  private final Set<String> transposed = new HashSet<>();

  private Lora(LoraConfig config) {
    this.config = config;
  }

  /**
   * A new adapter: A uniform in +-1/sqrt(inputs), B zero, so that it changes nothing yet; saved
   * modules are copies.
   *
   * @param saved fresh values of {@code modules_to_save} by weight name
   */
  public static Lora create(
      LoraConfig config, List<Linear> linears, Map<String, NDArray> saved, long seed) {
    config.requireTargets(linears, "new adapter");
    Lora lora = new Lora(config);
    Random random = Seed.random(seed, "lora");
    for (Linear linear : linears) {
      if (config.targets(linear.name())) {
        int rank = config.rank(linear.name());
        float[] a = new float[rank * linear.inputs()];
        double bound = 1 / Math.sqrt(linear.inputs());
        for (int i = 0; i < a.length; i++) {
          a[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
        NDArray aArray = lora.scope.create(a, new Shape(rank, linear.inputs()));
        NDArray bArray = lora.scope.zeros(new Shape(linear.outputs(), rank), DataType.FLOAT32);
        lora.put(linear, aArray, bArray);
      }
    }
    saved.forEach(
        (name, array) -> {
          NDArray copy = array.duplicate();
          copy.attach(lora.scope);
          lora.parameters.put(name, copy);
        });
    return lora;
  }

  /**
   * Reads PEFT's files; refuses missing, surplus or wrongly shaped tensors.
   *
   * @param savedShapes shapes that {@code modules_to_save} may have, by weight name
   */
  public static Lora read(
      LoraConfig config, List<Linear> linears, Map<String, Shape> savedShapes, TensorReader file) {
    config.requireTargets(linears, file.source());
    Lora lora = new Lora(config);
    boolean read = false;
    try {
      for (Linear linear : linears) {
        if (config.targets(linear.name())) {
          int rank = config.rank(linear.name());
          NDArray a = lora.take(file, aName(linear), new Shape(rank, linear.inputs()));
          lora.put(linear, a, lora.take(file, bName(linear), new Shape(linear.outputs(), rank)));
        }
      }
      for (String module : config.modulesToSave()) {
        for (Map.Entry<String, Shape> saved : savedShapes.entrySet()) {
          String name = saved.getKey();
          if ((name.equals(module + ".weight") || name.endsWith("." + module + ".weight"))
              && file.has(PEFT + name)) {
            lora.parameters.put(name, lora.take(file, name, saved.getValue()));
          }
        }
      }
      for (String name : file.names()) {
        if (!name.startsWith(PEFT) || !lora.parameters.containsKey(name.substring(PEFT.length()))) {
          throw new EngineException(
              Reason.INCOMPATIBLE,
              file.source()
                  + ": tensor '"
                  + name
                  + "' belongs to no layer of this model that "
                  + "target_modules or modules_to_save names");
        }
      }
      read = true;
      return lora;
    } finally {
      if (!read) {
        lora.close();
      }
    }
  }

  private NDArray take(TensorReader file, String name, Shape shape) {
    long[] found = file.info(PEFT + name).shape();
    if (!Arrays.equals(found, shape.getShape())) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          file.source()
              + ": tensor '"
              + PEFT
              + name
              + "' has shape "
              + Arrays.toString(found)
              + "; this model and rank ask for "
              + shape);
    }
    return TensorArrays.readOwned(file, PEFT + name, scope);
  }

  private void put(Linear linear, NDArray a, NDArray b) {
    scales.put(linear.name(), config.scale(linear.name()));
    if (linear.transposed()) {
      transposed.add(linear.name());
    }
    parameters.put(aName(linear), a);
    parameters.put(bName(linear), b);
  }

  private static String aName(Linear linear) {
    return linear.name() + ".lora_A.weight";
  }

  private static String bName(Linear linear) {
    return linear.name() + ".lora_B.weight";
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    double dropout = training ? config.loraDropout() : 0;
    Projection dense = inner.projection();
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return Lora.this.emit(dense, dropout, out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding table) {
            return dense.embedding(out, ids, table);
          }
        };
    return new Seams(projection, inner.attention(), inner.cross());
  }

  private List<String> emit(
      Projection inner, double dropout, MethodWriter out, String input, List<Linear> layers) {
    List<String> results = inner.emit(out, input, layers);
    List<Linear> adapted = layers.stream().filter(l -> scales.containsKey(l.name())).toList();
    List<String> low = new ArrayList<>(); // A x of each adapted layer, [N, R]
    if (dropout > 0) {
      for (Linear linear : adapted) {
        String dropped =
            out.value("torch.dropout(%s, %s, True)", input, MethodWriter.number(dropout));
        low.add(out.value("torch.linear(%s, %s)", dropped, out.weight(aName(linear))));
      }
    } else if (adapted.size() == 1) {
      low.add(out.value("torch.linear(%s, %s)", input, out.weight(aName(adapted.get(0)))));
    } else if (!adapted.isEmpty()) {
      List<String> matrices = adapted.stream().map(l -> out.weight(aName(l))).toList();
      String all =
          out.value("torch.linear(%s, torch.cat([%s]))", input, String.join(", ", matrices));
      int start = 0;
      for (Linear linear : adapted) {
        int end = start + config.rank(linear.name());
        low.add(out.value("torch.slice(%s, 1, %d, %d)", all, start, end));
        start = end;
      }
    }
    for (int i = 0; i < adapted.size(); i++) {
      Linear linear = adapted.get(i);
      // Into the layer's own result: nothing of size [N, outputs] is made a second time.
      out.line(
          "%s = torch.addmm_(%s, %s, torch.t(%s), alpha=%s)",
          results.get(layers.indexOf(linear)),
          results.get(layers.indexOf(linear)),
          low.get(i),
          out.weight(bName(linear)),
          MethodWriter.number(scales.get(linear.name())));
    }
    return results;
  }

  @Override
  public @Nullable NDArray weight(String name) {
    return parameters.get(name);
  }

  @Override
  public Map<String, NDArray> parameters() {
    return new LinkedHashMap<>(parameters);
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> base, NDManager into) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    parameters.forEach(
        (name, array) -> {
          if (!name.contains(".lora_")) {
            result.put(name, array);
          }
        });
    scales.forEach(
        (module, scale) -> {
          String name = module + ".weight";
          try (NDManager temporary = into.newSubManager()) {
            NDArray b = parameters.get(module + ".lora_B.weight");
            NDArray delta = b.matMul(parameters.get(module + ".lora_A.weight"));
            delta.attach(temporary);
            NDArray stored = transposed.contains(module) ? delta.transpose() : delta;
            stored.attach(temporary);
            NDArray sum = base.apply(name).add(stored.mul(scale));
            sum.attach(into);
            result.put(name, sum);
          }
        });
    return result;
  }

  @Override
  public ObjectNode config() {
    return config.json();
  }

  public LoraConfig loraConfig() {
    return config;
  }

  @Override
  public List<TensorData> tensors() {
    List<TensorData> result = new ArrayList<>();
    parameters.forEach((name, array) -> result.add(TensorArrays.write(PEFT + name, array)));
    return result;
  }

  @Override
  public void close() {
    scope.close();
  }
}
