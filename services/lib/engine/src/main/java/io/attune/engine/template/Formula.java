package io.attune.engine.template;

import java.time.Clock;
import java.util.Map;

/** An expression of a template on its own, for its value. Immutable and thread-safe. */
public final class Formula {
  private final Expression expression;

  private Formula(Expression expression) {
    this.expression = expression;
  }

  /**
   * @throws TemplateException if it is malformed or not supported
   */
  public static Formula parse(String source) {
    try {
      return new Formula(ExpressionParser.parse(source));
    } catch (NumberFormatException e) {
      throw new TemplateException("has a malformed number: " + e.getMessage());
    }
  }

  /**
   * A value that must be a number; true counts as 1 and false as 0.
   *
   * @param variables as those of {@link Template#run}
   * @throws TemplateException if it is anything else
   */
  public double number(Map<String, ?> variables, Clock clock) {
    Run run = new Run(clock);
    Scope scope = new Scope(null, run);
    Template.functions(scope);
    variables.forEach((name, value) -> scope.set(name, Values.of(value)));
    Object value;
    try {
      value = expression.value(scope.child());
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      throw new TemplateException("calls something with wrong arguments: " + e.getMessage());
    } catch (StackOverflowError e) {
      throw new TemplateException("nests too deep");
    }
    if (!Values.number(value)) {
      throw new TemplateException("gives " + Values.describe(value) + ", not a number");
    }
    return Values.toDouble(value);
  }
}
