package io.attune.engine.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.nn.Linear;
import io.attune.engine.quant.FourBit;
import io.attune.engine.quant.FourBitType;
import io.attune.engine.quant.QuantizedWeights;
import io.attune.engine.tensor.Torch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * PiSSA and LoftQ: what is added to the weight, and what becomes of it, are PEFT's (make_quant.py).
 */
class SingularStartTest {
  private static final String FILE = "quant/quant.safetensors";
  private static final Linear LINEAR = new Linear("0", 64, 48, false);
  private static final Shape SHAPE = new Shape(48, 64);
  private static final int RANK = 4;
  private static final int SCALE = 2;

  @ParameterizedTest
  @CsvSource({
    "pissa, pissa, 1",
    "pissa_niter_64, pissa_niter_64, 1",
    "loftq, loftq.1, 1",
    "loftq, loftq.4, 4"
  })
  void productAndRestArePefts(String init, String golden, int iterations) {
    try (NDManager scope = Torch.scope("test");
        Adapter adapter = Adapters.create(config(init, iterations), base(scope, null), start())) {
      float[] product = product(adapter, LINEAR.name() + ".lora_A.weight", scope).toFloatArray();
      assertThat(product).containsExactly(Golden.tensor(FILE, golden + ".product"), within(1e-4f));
      assertThat(adapter.weight("0.weight").toFloatArray())
          .containsExactly(Golden.tensor(FILE, golden + ".base"), within(1e-4f));
      assertThat(adapter.parameters()).hasSize(2);
    }
  }

  /** s B A. */
  private static NDArray product(Adapter adapter, String a, NDManager scope) {
    NDArray b = adapter.weight(a.replace("lora_A", "lora_B"));
    NDArray product = b.matMul(adapter.weight(a)).mul(SCALE);
    product.attach(scope);
    return product;
  }

  /** What is saved is an ordinary adapter of the unchanged weight. */
  @Test
  void pissaIsSavedAsTheDifferenceToItsStart() {
    try (NDManager scope = Torch.scope("test");
        Adapter adapter = Adapters.create(config("pissa", 1), base(scope, null), start())) {
      NDArray a = adapter.weight("0.lora_A.weight");
      Torch.copy(a.add(scope.randomNormal(0, 0.1f, a.getShape(), a.getDataType())), a);
      float[] trained = adapter.merged(name -> null, scope).get("0.weight").toFloatArray();
      ObjectNode json = adapter.config();
      assertThat(json.get("init_lora_weights").asBoolean()).isTrue();
      assertThat(json.get("r").asInt()).isEqualTo(2 * RANK);
      assertThat(json.get("lora_alpha").asDouble() / json.get("r").asDouble()).isEqualTo(SCALE);
      NDArray savedA = saved(adapter, "lora_A", scope);
      NDArray savedB = saved(adapter, "lora_B", scope);
      assertThat(savedA.getShape()).isEqualTo(new Shape(2 * RANK, 64));
      NDArray weight = scope.create(Golden.tensor(FILE, "start.weight"), SHAPE);
      assertThat(weight.add(savedB.matMul(savedA).mul(SCALE)).toFloatArray())
          .containsExactly(trained, within(1e-4f));
    }
  }

  private static NDArray saved(Adapter adapter, String part, NDManager scope) {
    TensorData tensor =
        adapter.tensors().stream().filter(t -> t.name().contains(part)).findFirst().orElseThrow();
    ByteBuffer data = tensor.bytes().get().iterator().next();
    float[] values = new float[data.remaining() / Float.BYTES];
    data.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return scope.create(values, new Shape(tensor.shape()));
  }

  @Test
  void loftqOverAQuantizedModelMakesUpForWhatQuantizationLost() {
    try (NDManager scope = Torch.scope("test")) {
      FourBit nf4 = new FourBit(FourBitType.NF4, 64, false);
      NDArray weight = scope.create(Golden.tensor(FILE, "start.weight"), SHAPE);
      QuantizedWeights quantized = new QuantizedWeights(nf4, scope);
      quantized.put(LINEAR, weight);
      Start start = new Start(1, Map.of(), text -> new int[0], (name, into) -> weight.duplicate());
      try (Adapter adapter = Adapters.create(config("loftq", 4), base(scope, quantized), start)) {
        assertThat(adapter.weight("0.weight.codes").toByteArray())
            .isNotEqualTo(quantized.get("0.weight.codes").toByteArray());
        assertThat(product(adapter, "0.lora_A.weight", scope).toFloatArray())
            .containsExactly(Golden.tensor(FILE, "loftq.4.product"), within(1e-4f));
      }
    }
  }

  @Test
  void refusesPissaOverQuantizedWeightsAndWithDora() {
    try (NDManager scope = Torch.scope("test")) {
      QuantizedWeights quantized =
          new QuantizedWeights(new FourBit(FourBitType.NF4, 64, true), scope);
      quantized.put(LINEAR, scope.create(Golden.tensor(FILE, "start.weight"), SHAPE));
      assertThatThrownBy(() -> Adapters.create(config("pissa", 1), base(scope, quantized), start()))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("loftq");
      ObjectNode dora = config("pissa", 1).put("use_dora", true);
      assertThatThrownBy(() -> Adapters.create(dora, base(scope, null), start()))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("use_dora");
    }
  }

  private static Start start() {
    return new Start(5, Map.of(), text -> new int[0]);
  }

  private static BaseModel base(NDManager scope, QuantizedWeights quantized) {
    NDArray weight = scope.create(Golden.tensor(FILE, "start.weight"), SHAPE);
    return new BaseModel(
        List.of(LINEAR),
        null,
        null,
        1,
        Map.of("0.weight", SHAPE),
        Map.of(),
        false,
        name -> quantized == null && name.equals("0.weight") ? weight : null,
        quantized,
        List.of());
  }

  private static ObjectNode config(String init, int iterations) {
    ObjectNode config = JsonFiles.newObject();
    config.put("peft_type", "LORA");
    config.put("target_modules", "all-linear");
    config.put("r", RANK);
    config.put("lora_alpha", RANK * SCALE);
    config.put("init_lora_weights", init);
    config.putObject("loftq_config").put("loftq_bits", 4).put("loftq_iter", iterations);
    return config;
  }
}
