package io.attune.engine.adapter;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.nn.MethodWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * P-tuning (Liu et al., arXiv 2103.10385): prompt tuning whose embeddings a small network computes
 * while they are trained, {@code MLP} or {@code LSTM}.
 *
 * <p>The file holds what the network computes, as PEFT's does; an adapter that was read is those
 * embeddings, and goes on being trained as such.
 */
final class PTuning extends PromptTuning {
  private static final List<String> NETWORKS = List.of("MLP", "LSTM");

  private final boolean lstm;
  private final int hidden;
  private final int layers;
  private final double dropout;
  private boolean computed;

  PTuning(AdapterConfig config, BaseModel base) {
    super(config, base);
    lstm = config.choice("encoder_reparameterization_type", "MLP", NETWORKS).equals("LSTM");
    hidden = config.size("encoder_hidden_size", table.size());
    layers = config.size("encoder_num_layers", 2);
    dropout = config.dropout("encoder_dropout");
  }

  @Override
  void initialise(Start start) {
    computed = true;
    describe(table.size(), base.heads().queries());
    config.json().put("encoder_hidden_size", hidden);
    Draws draws = new Draws(start.seed(), "p-tuning");
    int e = table.size();
    add("embedding.weight", draws.normal(shape().size(), 1), shape());
    if (lstm) {
      for (int layer = 0; layer < layers; layer++) {
        int inputs = layer == 0 ? e : 2 * hidden;
        for (String direction : List.of("", "_reverse")) {
          addUniform(lstmWeight("weight_ih", layer, direction), gates(inputs), hidden, draws);
          addUniform(lstmWeight("weight_hh", layer, direction), gates(hidden), hidden, draws);
          addUniform(
              lstmWeight("bias_ih", layer, direction), new Shape(4L * hidden), hidden, draws);
          addUniform(
              lstmWeight("bias_hh", layer, direction), new Shape(4L * hidden), hidden, draws);
        }
      }
      addLinear("mlp_head.0", 2 * hidden, 2 * hidden, draws);
      addLinear("mlp_head.2", 2 * hidden, e, draws);
    } else {
      addLinear("mlp_head.0", e, hidden, draws);
      addLinear("mlp_head.2", hidden, hidden, draws);
      addLinear("mlp_head.4", hidden, e, draws);
    }
    whole.initialise(start);
  }

  private Shape gates(int inputs) {
    return new Shape(4L * hidden, inputs);
  }

  private static String lstmWeight(String name, int layer, String direction) {
    return "lstm_head." + name + "_l" + layer + direction;
  }

  @Override
  String emitPrompt(MethodWriter out, boolean training) {
    if (!computed) {
      return super.emitPrompt(out, training);
    }
    String x = out.weight("embedding.weight");
    if (!lstm) {
      x = out.value("torch.relu(%s)", emitLinear(out, x, "mlp_head.0"));
      x = out.value("torch.relu(%s)", emitLinear(out, x, "mlp_head.2"));
      return emitLinear(out, x, "mlp_head.4");
    }
    x = out.value("torch.relu(%s)", emitLinear(out, emitLstm(out, x, training), "mlp_head.0"));
    return emitLinear(out, x, "mlp_head.2");
  }

  /** Emits both directions' states, [P, 2 * hidden]. */
  private String emitLstm(MethodWriter out, String x, boolean training) {
    List<String> weights = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (String direction : List.of("", "_reverse")) {
        for (String name : List.of("weight_ih", "weight_hh", "bias_ih", "bias_hh")) {
          weights.add(out.weight(lstmWeight(name, layer, direction)));
        }
      }
    }
    String zero = out.value("torch.zeros([%d, 1, %d])", 2 * layers, hidden);
    out.line(
        "states, last, cell = torch.lstm(torch.unsqueeze(%s, 0), [%s, %s], [%s], True, %d, %s, %s,"
            + " True, True)",
        x,
        zero,
        zero,
        String.join(", ", weights),
        layers,
        MethodWriter.number(dropout),
        training && dropout > 0 ? "True" : "False");
    return out.value("torch.squeeze(states, 0)");
  }

  @Override
  public List<TensorData> tensors() {
    List<TensorData> result = new ArrayList<>(super.tensors());
    if (computed) {
      float[] values = compute(out -> out.line("result = %s", emitPrompt(out, false)));
      result.add(TensorData.of(EMBEDDINGS, shape().getShape(), values));
    }
    return result;
  }
}
