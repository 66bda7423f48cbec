package io.attune.engine.nn;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Map;
import java.util.TreeMap;

/** Activation functions by transformers' names ({@code ACT2FN}). */
public final class Activation {
  private static final String TANH = "torch.gelu(%s, approximate=\"tanh\")";

  private static final Map<String, String> EXPRESSIONS =
      new TreeMap<>(
          Map.of(
              "gelu", "torch.gelu(%s)",
              "gelu_new", TANH,
              "gelu_pytorch_tanh", TANH,
              "gelu_fast", TANH,
              "relu", "torch.relu(%s)",
              "silu", "torch.silu(%s)",
              "swish", "torch.silu(%s)",
              "tanh", "torch.tanh(%s)"));

  private Activation() {}

  /**
   * Refuses a name that is not implemented.
   *
   * @param where the setting that names it, for the message
   */
  public static String require(String name, String where) {
    if (!EXPRESSIONS.containsKey(name)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          where + " is " + name + "; implemented are " + String.join(", ", EXPRESSIONS.keySet()));
    }
    return name;
  }

  /** Emits the function {@code name} of a variable. */
  public static String emit(MethodWriter out, String name, String x) {
    return out.value(EXPRESSIONS.get(name), x);
  }
}
