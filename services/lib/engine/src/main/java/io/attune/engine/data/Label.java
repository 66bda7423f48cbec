package io.attune.engine.data;

import java.util.List;

/** What a row says a text or a token is. */
public sealed interface Label {

  /** A class's name. */
  record Name(String name) implements Label {
    @Override
    public String toString() {
      return "'" + name + "'";
    }
  }

  /**
   * A class's number, or a value.
   *
   * @param integral whether the row wrote an integer: 3, not 3.0
   */
  record Number(double value, boolean integral) implements Label {
    @Override
    public String toString() {
      return integral ? Long.toString((long) value) : Double.toString(value);
    }
  }

  /** All labels that hold, or all values. */
  record Several(List<Label> each) implements Label {
    public Several {
      each = List.copyOf(each);
    }

    @Override
    public String toString() {
      return each.toString();
    }
  }
}
