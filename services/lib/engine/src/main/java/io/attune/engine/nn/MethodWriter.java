package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Writes the body of one program method, and notes which weights its list {@code w} has to hold.
 *
 * <p>Weights appear in the text by position only, so layers of one structure share one text.
 */
public final class MethodWriter {
  private final StringBuilder body = new StringBuilder();
  private final List<String> weights = new ArrayList<>();
  private int variables;

  /** The expression for a weight; the same name gives the same place in {@link #weights()}. */
  public String weight(String name) {
    int index = weights.indexOf(name);
    if (index < 0) {
      index = weights.size();
      weights.add(name);
    }
    return "w[" + index + "]";
  }

  /** Assigns an expression to a fresh variable and returns its name. */
  public String value(String format, Object... arguments) {
    String name = "v" + variables++;
    line(name + " = " + format, arguments);
    return name;
  }

  public void line(String format, Object... arguments) {
    body.append("    ")
        .append(arguments.length == 0 ? format : String.format(Locale.ROOT, format, arguments))
        .append('\n');
  }

  /** Names of the weights in the order in which {@code w} must list them. */
  public List<String> weights() {
    return List.copyOf(weights);
  }

  /**
   * The whole method.
   *
   * @param signature parameters and result, as {@code (self: SELF, h: Tensor) -> Tensor}
   */
  public String method(String name, String signature) {
    return "  def " + name + signature + ":\n" + body;
  }

  /** A float as program text, without loss. */
  public static String number(double value) {
    return Double.toString(value);
  }
}
