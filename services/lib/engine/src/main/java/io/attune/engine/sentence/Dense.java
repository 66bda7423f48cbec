package io.attune.engine.sentence;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.MethodWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * f(x W^T + b).
 *
 * @param name what its weights' names begin with
 * @param activation an expression of one variable; {@code %s} for none
 */
record Dense(String name, int outputs, boolean bias, String activation) implements Step {
  private static final Map<String, String> ACTIVATIONS =
      Map.of(
          "torch.nn.modules.activation.Tanh", "torch.tanh(%s)",
          "torch.nn.modules.activation.ReLU", "torch.relu(%s)",
          "torch.nn.modules.activation.GELU", "torch.gelu(%s)",
          "torch.nn.modules.activation.Sigmoid", "torch.sigmoid(%s)",
          "torch.nn.modules.linear.Identity", "%s");

  /**
   * @param inputs components of what it gets
   * @param weights gets its weights, by name
   */
  static Dense read(Path folder, int inputs, Map<String, NDArray> weights, NDManager scope) {
    Path file = folder.resolve("config.json");
    ObjectNode config =
        SentenceModules.only(
            file,
            Set.of("in_features", "out_features", "bias", "activation_function", "use_residual"));
    String function = config.path("activation_function").asText("torch.nn.modules.activation.Tanh");
    String activation = ACTIVATIONS.get(function);
    int outputs = config.path("out_features").asInt();
    if (activation == null || config.path("use_residual").asBoolean()) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          file
              + (activation == null
                  ? ": 'activation_function' is " + function + ", which is not implemented"
                  : ": 'use_residual' is true, which is not implemented"));
    }
    if (config.path("in_features").asInt() != inputs || outputs < 1) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          file + ": 'in_features' and 'out_features' do not fit " + inputs + " inputs");
    }
    Path tensors = folder.resolve("model.safetensors");
    if (!Files.isRegularFile(tensors)) {
      throw new EngineException(
          Reason.IO, folder + " has no model.safetensors; weights as a pickle are not read");
    }
    String name = folder.getFileName() + ".linear";
    boolean bias = config.path("bias").asBoolean(true);
    try (TensorReader reader = SafeTensors.open(tensors)) {
      weights.put(name + ".weight", take(reader, "linear.weight", scope, outputs, inputs));
      if (bias) {
        weights.put(name + ".bias", take(reader, "linear.bias", scope, outputs));
      }
    }
    return new Dense(name, outputs, bias, activation);
  }

  private static NDArray take(TensorReader reader, String name, NDManager scope, long... shape) {
    Shape found = new Shape(reader.info(name).shape());
    if (!found.equals(new Shape(shape))) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          reader.source()
              + ": tensor '"
              + name
              + "' has shape "
              + found
              + "; config.json asks for "
              + new Shape(shape));
    }
    return TensorArrays.readFloat(reader, name, scope);
  }

  @Override
  public String emit(MethodWriter out, String x) {
    String b = bias ? out.weight(name + ".bias") : "None";
    String y = out.value("torch.linear(%s, %s, %s)", x, out.weight(name + ".weight"), b);
    return out.value(activation, y);
  }
}
