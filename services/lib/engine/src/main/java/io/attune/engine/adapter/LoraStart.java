package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.nn.Linear;
import io.attune.engine.quant.EightBit;
import io.attune.engine.quant.FourBit;
import io.attune.engine.quant.FourBitType;
import io.attune.engine.quant.QuantizedWeights;
import io.attune.engine.quant.Quantizer;
import io.attune.engine.tensor.Torch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What A and B of a new adapter are, by {@code init_lora_weights}: {@code true} (A uniform, B 0),
 * {@code false} (both uniform), {@code gaussian}, or singular vectors of the weight.
 *
 * <p>PiSSA (Meng et al., arXiv 2404.02948), {@code pissa} or with N steps of subspace iteration
 * {@code pissa_niter_N}: s B A are the weight's R largest singular values, and what is left of the
 * weight takes its place. Saved is the difference to the start, an ordinary adapter of rank 2 R.
 *
 * <p>LoftQ (Li et al., arXiv 2310.08659), {@code loftq}: B A are the R largest singular values of
 * what quantization loses, and the quantized weight takes the weight's place; with more than one
 * iteration of {@code loftq_iter}, what is quantized is the weight less B A of the one before. As
 * in PEFT the scale s is left out of account.
 */
final class LoraStart {
  static final String LOFTQ = "loftq";

  private static final Pattern PISSA = Pattern.compile("pissa(?:_niter_(\\d{1,4}))?");

  /** What PiSSA started from, behind the names of A and B. */
  private static final String INITIAL = ".initial";

  private final AdapterConfig config;
  private final BaseModel base;
  private final AdapterTensors tensors;
  private final JsonNode init;

  LoraStart(AdapterConfig config, BaseModel base, AdapterTensors tensors) {
    this.config = config;
    this.base = base;
    this.tensors = tensors;
    this.init = config.json().path("init_lora_weights");
  }

  /** Whether the adapter trains singular vectors that were taken out of the weights. */
  static boolean isPissa(AdapterConfig config) {
    return PISSA.matcher(config.text("init_lora_weights", "")).matches();
  }

  static boolean isLoftq(AdapterConfig config) {
    return config.text("init_lora_weights", "").equals(LOFTQ);
  }

  /** Adds A and B of a module. */
  void initialise(Lora.LowRank module, Draws draws, Start start) {
    if (init.isTextual() && !module.isEmbedding()) {
      Matcher pissa = PISSA.matcher(init.textValue());
      if (pissa.matches()) {
        pissa(module, pissa.group(1), draws);
        return;
      } else if (init.textValue().equals(LOFTQ)) {
        loftq(module, start, true);
        return;
      } else if (!init.textValue().equals("gaussian")) {
        throw config.unsupported(
            "init_lora_weights",
            "a new adapter can start with true, false, gaussian, pissa, pissa_niter_N or loftq");
      }
    }
    float[] a;
    float[] b = new float[Math.toIntExact(module.shapeOfB().size())];
    if (module.isEmbedding()) {
      a = new float[Math.toIntExact(module.shapeOfA().size())];
      b = draws.normal(b.length, 1);
    } else if (init.isTextual()) {
      a = draws.normal(module.shapeOfA().size(), 1.0 / module.rank());
    } else {
      a = draws.uniform(module.shapeOfA().size(), module.linear().inputs());
      if (!init.asBoolean(true)) {
        b = draws.uniform(b.length, module.rank());
      }
    }
    tensors.add(module.a(), a, module.shapeOfA());
    tensors.add(module.b(), b, module.shapeOfB());
  }

  private void pissa(Lora.LowRank module, String iterations, Draws draws) {
    Linear linear = module.linear();
    String name = linear.weight();
    if (base.isQuantized(name)) {
      throw config.unsupported(
          "init_lora_weights",
          "singular vectors are taken out of dense weights; over quantized ones start with loftq");
    }
    requireRank(module);
    try (NDManager work = Torch.scope("pissa");
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray weight = base.weights().apply(name);
      NDArray rows = rows(linear, weight, work);
      int small = Math.min(linear.outputs(), linear.inputs());
      SingularVectors.Factors factors;
      if (iterations == null) {
        factors = SingularVectors.exact(rows, module.rank(), module.scale(), work);
      } else {
        Shape shape = new Shape(small, module.rank());
        NDArray drawn = work.create(draws.normal(shape.size(), 1), shape);
        int steps = Integer.parseInt(iterations);
        factors = SingularVectors.randomised(rows, drawn, steps, module.scale(), work);
      }
      put(module, factors);
      tensors.add(module.a() + INITIAL, null, factors.a().duplicate(), false);
      tensors.add(module.b() + INITIAL, null, factors.b().duplicate(), false);
      NDArray rest = LowRankSum.add(module, tensors::get, weight, -module.scale(), work);
      tensors.add(name, null, rest, false);
    }
  }

  /**
   * Puts the quantized weight in the weight's place, where it is not there already.
   *
   * @param fresh whether A and B are made too
   */
  void loftq(Lora.LowRank module, Start start, boolean fresh) {
    JsonNode settings = config.json().path("loftq_config");
    int bits = settings.path("loftq_bits").asInt(4);
    int iterations = settings.path("loftq_iter").asInt(1);
    if ((bits != 4 && bits != 8) || iterations < 1) {
      throw config.invalid(
          "loftq_config", "is " + settings + "; loftq_bits is 4 or 8, loftq_iter 1 or more");
    }
    requireRank(module);
    String name = module.linear().weight();
    boolean quantized = base.isQuantized(name);
    Quantizer quantizer =
        quantized
            ? base.quantized().quantizer()
            : bits == 8 ? new EightBit() : new FourBit(FourBitType.NF4, FourBit.BLOCK_SIZE, false);
    if (quantized && (quantizer instanceof EightBit) != (bits == 8)) {
      throw config.invalid("loftq_config", "is " + settings + "; the model is quantized otherwise");
    }
    try (NDManager work = Torch.scope(LOFTQ);
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray weight = quantized ? start.original().read(name, work) : base.weights().apply(name);
      if (weight == null) {
        throw config.unsupported("init_lora_weights", "the model's dense weights are not at hand");
      }
      NDArray next = weight;
      for (int i = 0; ; i++) {
        QuantizedWeights rounded = new QuantizedWeights(quantizer, work);
        rounded.put(module.linear(), next);
        NDArray dense = rounded.dense(name, work);
        NDArray lost = rows(module.linear(), weight.sub(dense), work);
        SingularVectors.Factors factors = SingularVectors.exact(lost, module.rank(), 1, work);
        if (i + 1 < iterations) {
          NDArray product = factors.b().matMul(factors.a());
          next = weight.sub(rows(module.linear(), product, work));
          continue;
        }
        if (fresh) {
          put(module, factors);
        }
        replace(name, quantized, rounded, dense);
        return;
      }
    }
  }

  private void replace(String name, boolean quantized, QuantizedWeights rounded, NDArray dense) {
    if (quantized) {
      rounded.parts(name).forEach((part, array) -> tensors.add(part, null, array, false));
    } else {
      tensors.add(name, null, dense, false);
    }
  }

  private void put(Lora.LowRank module, SingularVectors.Factors factors) {
    tensors.add(module.a(), factors.a());
    tensors.add(module.b(), factors.b());
  }

  private void requireRank(Lora.LowRank module) {
    int most = Math.min(module.linear().outputs(), module.linear().inputs());
    if (module.rank() > most) {
      throw config.invalid(
          "r", "is " + module.rank() + "; '" + module.linear().name() + "' has rank " + most);
    }
  }

  /** From the checkpoint's shape to [outputs, inputs], and back. */
  private static NDArray rows(Linear linear, NDArray weight, NDManager scope) {
    if (!linear.transposed()) {
      return weight;
    }
    NDArray rows = weight.transpose();
    rows.attach(scope);
    return rows;
  }

  /** The tensors that are saved: of PiSSA s (B A - B' A') for the A' and B' of the start. */
  NDArray saved(Lora.LowRank module, boolean isA, NDManager scope) {
    String name = isA ? module.a() : module.b();
    NDArray now = tensors.get(name);
    NDArray initial = tensors.get(name + INITIAL);
    try (NDArray other = isA ? initial.duplicate() : initial.neg()) {
      NDArray both = now.concat(other, isA ? 0 : 1);
      both.attach(scope);
      return both;
    }
  }

  /** The configuration that goes with {@link #saved}: twice the rank at the same scale. */
  static ObjectNode saved(AdapterConfig config) {
    ObjectNode json = config.json().deepCopy();
    boolean rslora = config.flag("use_rslora", false);
    json.put("init_lora_weights", true);
    json.put("r", 2 * config.size("r", 8));
    double factor = rslora ? Math.sqrt(2) : 2;
    json.put("lora_alpha", factor * config.number("lora_alpha", 8));
    config
        .numbers("rank_pattern")
        .forEach(
            (pattern, rank) ->
                ((ObjectNode) json.get("rank_pattern")).put(pattern, (int) (2 * rank)));
    config
        .numbers("alpha_pattern")
        .forEach(
            (pattern, alpha) ->
                ((ObjectNode) json.get("alpha_pattern")).put(pattern, factor * alpha));
    return json;
  }
}
