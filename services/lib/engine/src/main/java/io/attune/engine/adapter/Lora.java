package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * LoRA (Hu et al., arXiv 2106.09685): y = W x + s B A x, with A [R, inputs] and B [outputs, R]; on
 * the token embedding the same of a one-hot x. With {@code use_dora} each output has a trained
 * length besides, see {@link Dora}.
 *
 * <p>Layers that read one input share the product with their A matrices.
 */
final class Lora extends PeftAdapter {
  private final LoraConfig lora;
  private final Map<String, LowRank> byModule = new LinkedHashMap<>();
  private final WholeWeights whole;
  private final Targets targets;

  /**
   * A module that has the adapter.
   *
   * @param linear the module as a linear layer; of an embedding the weight [V, E] is W^T
   * @param a name of A
   * @param b name of B
   */
  record LowRank(Linear linear, String a, String b, int rank, double scale) {
    Shape shapeOfA() {
      return new Shape(rank, linear.inputs());
    }

    Shape shapeOfB() {
      return new Shape(linear.outputs(), rank);
    }

    boolean isEmbedding() {
      return a.endsWith(".lora_embedding_A");
    }
  }

  Lora(AdapterConfig config, BaseModel base) {
    super(config, base);
    lora = LoraConfig.parse(config);
    targets = new Targets(config);
    for (Linear linear : targets.linears(base)) {
      put(linear, ".lora_A.weight", ".lora_B.weight");
    }
    Embedding table = targets.embedding(base);
    if (table != null) {
      Linear oneHot = new Linear(table.name(), table.vocabulary(), table.size(), false, true);
      put(oneHot, ".lora_embedding_A", ".lora_embedding_B");
    }
    whole =
        new WholeWeights(config, base, tensors, AdapterTensors.PEFT, byModule::containsKey, "lora");
  }

  private void put(Linear linear, String a, String b) {
    String name = linear.name();
    byModule.put(name, new LowRank(linear, name + a, name + b, lora.rank(name), lora.scale(name)));
  }

  @Override
  void read(TensorReader file) {
    targets.require(base, true, false);
    if (LoraStart.isPissa(config)) {
      throw LoraConfig.changedBase(config);
    }
    for (LowRank module : byModule.values()) {
      tensors.read(file, module.a(), module.shapeOfA());
      tensors.read(file, module.b(), module.shapeOfB());
      if (lora.useDora()) {
        tensors.read(file, Dora.magnitude(module), new Shape(module.linear().outputs()));
      }
    }
    if (LoraStart.isLoftq(config)) {
      readLoftq();
    }
    whole.read(file);
  }

  /**
   * The weights that the adapter belongs to are quantized ones: made again, as PEFT does, or the
   * model's own if it has been loaded so.
   */
  private void readLoftq() {
    boolean repeated = config.json().path("loftq_config").path("loftq_iter").asInt(1) > 1;
    LoraStart values = new LoraStart(config, base, tensors);
    Start none = new Start(0, Map.of(), text -> new int[0]);
    for (LowRank module : byModule.values()) {
      if (!module.isEmbedding() && (repeated || !base.isQuantized(module.linear().weight()))) {
        values.loftq(module, none, false);
      }
    }
  }

  @Override
  void initialise(Start start) {
    targets.require(base, true, true);
    if (lora.useDora() && LoraStart.isPissa(config)) {
      throw config.unsupported("init_lora_weights", "it does not go with use_dora");
    }
    LoraStart values = new LoraStart(config, base, tensors);
    Draws draws = new Draws(start.seed(), "lora");
    for (LowRank module : byModule.values()) {
      values.initialise(module, draws, start);
      if (lora.useDora()) {
        tensors.add(Dora.magnitude(module), Dora.norm(module, this, base));
      }
    }
    whole.initialise(start);
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    return wrap(inner, training, training);
  }

  @Override
  public Seams wrap(Seams inner, boolean training, boolean dropout) {
    double dropped = dropout ? lora.dropout() : 0;
    Projection dense = inner.projection();
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return Lora.this.emit(dense, training, dropped, out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding table) {
            String found = whole.lookup(dense, out, ids, table);
            LowRank module = byModule.get(table.name());
            return module == null
                ? found
                : emitLookup(dense, training, out, ids, module, table.scale(), found);
          }
        };
    return inner.withProjection(projection);
  }

  private List<String> emit(
      Projection inner,
      boolean training,
      double dropout,
      MethodWriter out,
      String input,
      List<Linear> layers) {
    List<String> results = new ArrayList<>(inner.emit(out, input, layers));
    List<LowRank> adapted =
        layers.stream().map(l -> byModule.get(l.name())).filter(m -> m != null).toList();
    if (dropout > 0) {
      for (LowRank module : adapted) {
        String dropped =
            out.value("torch.dropout(%s, %s, True)", input, MethodWriter.number(dropout));
        String low =
            out.value("torch.linear(%s, %s)", dropped, asInput(out.weight(module.a()), dropped));
        int i = layers.indexOf(module.linear());
        if (lora.useDora()) {
          String plain = inner.emit(out, dropped, List.of(module.linear())).get(0);
          results.set(i, Dora.emitDropped(inner, out, module, results.get(i), plain, low));
        } else {
          emitSum(out, module, results.get(i), low);
        }
      }
      return results;
    }
    List<String> low = emitLow(out, input, adapted);
    for (LowRank module : adapted) {
      int i = layers.indexOf(module.linear());
      String lowOfModule = low.get(adapted.indexOf(module));
      if (lora.useDora()) {
        results.set(i, Dora.emit(inner, out, module, training, results.get(i), lowOfModule));
      } else {
        emitSum(out, module, results.get(i), lowOfModule);
      }
    }
    return results;
  }

  /** Emits A x of each module, [N, R]. */
  private static List<String> emitLow(MethodWriter out, String input, List<LowRank> modules) {
    List<String> low = new ArrayList<>();
    if (modules.size() == 1) {
      String a = out.weight(modules.get(0).a());
      low.add(out.value("torch.linear(%s, %s)", input, asInput(a, input)));
    } else if (!modules.isEmpty()) {
      List<String> matrices = modules.stream().map(m -> out.weight(m.a())).toList();
      String all = out.value("torch.cat([%s])", String.join(", ", matrices));
      all = out.value("torch.linear(%s, %s)", input, asInput(all, input));
      int start = 0;
      for (LowRank module : modules) {
        int end = start + module.rank();
        low.add(out.value("torch.slice(%s, 1, %d, %d)", all, start, end));
        start = end;
      }
    }
    return low;
  }

  /** Adapters are float32, also where the model computes in bfloat16. */
  private static String asInput(String weight, String input) {
    return "torch.type_as(" + weight + ", " + input + ")";
  }

  /** Into the layer's own result: nothing of size [N, outputs] is made a second time. */
  private static void emitSum(MethodWriter out, LowRank module, String result, String low) {
    out.line(
        "%s = torch.addmm_(%s, %s, torch.t(%s), alpha=%s)",
        result,
        result,
        low,
        asInput(out.weight(module.b()), result),
        MethodWriter.number(module.scale()));
  }

  private String emitLookup(
      Projection inner,
      boolean training,
      MethodWriter out,
      String ids,
      LowRank module,
      double tableScale,
      String found) {
    // Ids from the vocabulary's size up are virtual tokens: never of an adapter of this kind.
    String low = out.value("torch.embedding(torch.t(%s), %s)", out.weight(module.a()), ids);
    if (tableScale != 1) {
      low = out.value("torch.mul(%s, %s)", low, MethodWriter.number(tableScale));
    }
    if (lora.useDora()) {
      return Dora.emit(inner, out, module, training, found, low);
    }
    return out.value(
        "torch.addmm(%s, %s, torch.t(%s), alpha=%s)",
        found,
        asInput(low, found),
        asInput(out.weight(module.b()), found),
        MethodWriter.number(module.scale()));
  }

  @Override
  public ObjectNode config() {
    return LoraStart.isPissa(config) ? LoraStart.saved(config) : super.config();
  }

  @Override
  public List<TensorData> tensors() {
    if (!LoraStart.isPissa(config)) {
      return super.tensors();
    }
    LoraStart values = new LoraStart(config, base, tensors);
    return tensors.write(
        name -> {
          for (LowRank module : byModule.values()) {
            if (!module.isEmbedding() && (name.equals(module.a()) || name.equals(module.b()))) {
              return values.saved(module, name.equals(module.a()), tensors.scope());
            }
          }
          return tensors.get(name);
        });
  }

  @Override
  public @Nullable NDArray weight(String name) {
    LowRank module = Dora.moduleOfScale(name, byModule);
    return module == null ? super.weight(name) : Dora.scale(module, this, base);
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> from, NDManager into) {
    Map<String, NDArray> result = whole.merged(into);
    byModule.forEach(
        (name, module) -> {
          if (module.isEmbedding() && base.tiedHead()) {
            throw config.unsupported(
                "target_modules",
                "an adapter on '"
                    + name
                    + "' cannot be merged: the head shares its weight and would change too");
          }
          String weight = module.linear().weight();
          NDArray replaced = result.remove(weight); // an embedding that was saved along
          NDArray own = replaced == null ? tensors.get(weight) : replaced;
          NDArray old = own == null ? from.apply(weight) : own;
          NDArray merged = LowRankSum.add(module, this, old, module.scale(), into);
          result.put(weight, lora.useDora() ? Dora.scaled(module, this, merged, into) : merged);
        });
    return result;
  }

  @Override
  public Map<String, NDArray> unmerged(Function<String, NDArray> from, NDManager into) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    byModule.forEach(
        (name, module) -> {
          String weight = module.linear().weight();
          NDArray merged = from.apply(weight);
          NDArray sum = lora.useDora() ? Dora.unscaled(module, this, merged, into) : merged;
          result.put(weight, LowRankSum.add(module, this, sum, -module.scale(), into));
        });
    return result;
  }
}
