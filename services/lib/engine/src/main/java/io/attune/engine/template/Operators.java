package io.attune.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Comparison, arithmetic and calls. */
final class Operators {
  private Operators() {}

  static Object compare(Run run, String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Values.equal(run, a, b);
      case "!=" -> !Values.equal(run, a, b);
      case "in" -> contains(run, b, a);
      case "not in" -> !contains(run, b, a);
      case "<" -> order(a, b) < 0;
      case "<=" -> order(a, b) <= 0;
      case ">" -> order(a, b) > 0;
      case ">=" -> order(a, b) >= 0;
      default -> throw new IllegalArgumentException(operator);
    };
  }

  /**
   * Where a text first has a part, from an index on; -1 if it has not. Each place that may be the
   * beginning is counted before it is compared: the JDK's search could not be stopped.
   */
  static int find(Run run, String text, String part, int from) {
    if (part.isEmpty()) {
      return from;
    }
    char first = part.charAt(0);
    for (int at = text.indexOf(first, from); at >= 0; at = text.indexOf(first, at + 1)) {
      run.work(part.length());
      if (text.startsWith(part, at)) {
        run.work(at - from);
        return at;
      }
    }
    run.work(text.length() - from);
    return -1;
  }

  static int order(Object a, Object b) {
    if (Values.number(a) && Values.number(b)) {
      return Double.compare(Values.toDouble(a), Values.toDouble(b));
    }
    if (a instanceof String x && b instanceof String y) {
      return x.compareTo(y);
    }
    throw new TemplateException("compares " + Values.describe(a) + " with " + Values.describe(b));
  }

  static boolean contains(Run run, Object container, Object item) {
    if (container instanceof String text && item instanceof String part) {
      return find(run, text, part, 0) >= 0;
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(item));
    }
    if (container instanceof String) {
      throw new TemplateException("looks for " + Values.describe(item) + " in a string");
    }
    return Values.items(run, container).stream().anyMatch(other -> Values.equal(run, other, item));
  }

  static Object apply(Run run, String operator, Object a, Object b) {
    run.step(1);
    if (operator.equals("+") && a instanceof String x && b instanceof String y) {
      return join(run, x, y);
    }
    if (operator.equals("+") && a instanceof List<?> x && b instanceof List<?> y) {
      run.make(Run.OBJECT / 4 * ((long) x.size() + y.size()));
      List<Object> sum = new ArrayList<>(x);
      sum.addAll(y);
      return sum;
    }
    if (operator.equals("*") && a instanceof String text && Values.number(b)) {
      long times = Math.max(0, Values.toLong(b));
      if (times > Run.MAX_OUTPUT_CHARS || times * text.length() > Run.MAX_OUTPUT_CHARS) {
        throw new TemplateException("repeats a string " + times + " times");
      }
      run.make(times * text.length());
      return text.repeat((int) times);
    }
    if (!Values.number(a) || !Values.number(b)) {
      throw new TemplateException(
          "applies '" + operator + "' to " + Values.describe(a) + " and " + Values.describe(b));
    }
    return a instanceof Double || b instanceof Double || operator.equals("/")
        ? (Object) real(operator, Values.toDouble(a), Values.toDouble(b))
        : (Object) whole(operator, Values.toLong(a), Values.toLong(b));
  }

  private static double real(String operator, double a, double b) {
    if (b == 0 && "/%//".contains(operator)) {
      throw new TemplateException("divides by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      default -> throw new IllegalArgumentException(operator);
    };
  }

  private static long whole(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDiv(a, b);
        case "%" -> Math.floorMod(a, b);
        default -> throw new IllegalArgumentException(operator);
      };
    } catch (ArithmeticException e) {
      throw new TemplateException("computes " + a + " " + operator + " " + b);
    }
  }

  static String join(Run run, String a, String b) {
    run.make(a.length() + (long) b.length());
    if ((long) a.length() + b.length() > Run.MAX_OUTPUT_CHARS) {
      throw new TemplateException(
          "makes a string of more than " + Run.MAX_OUTPUT_CHARS + " characters");
    }
    return a + b;
  }

  static Object call(Scope scope, Object target, Arguments arguments) {
    scope.run().step(1);
    if (target instanceof Callable callable) {
      return callable.call(scope.run(), arguments.values(scope), arguments.namedValues(scope));
    }
    throw new TemplateException("calls " + Values.describe(target));
  }
}
