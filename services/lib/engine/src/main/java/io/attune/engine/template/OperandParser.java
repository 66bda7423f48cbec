package io.attune.engine.template;

import io.attune.engine.template.Tokens.Kind;
import io.attune.engine.template.Tokens.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What Jinja's operators work on: names, literals, brackets, and what is called or taken of them.
 */
final class OperandParser {
  private final Tokens tokens;
  private final ExpressionParser expressions;

  /**
   * @param expressions reads what stands in brackets
   */
  OperandParser(Tokens tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  Expression operand() {
    return postfix(counted(primary()));
  }

  /** Every leaf is a step, so that no expression costs more than it is counted for. */
  private static Expression counted(Expression leaf) {
    return scope -> {
      scope.run().step(1);
      return leaf.value(scope);
    };
  }

  private Expression primary() {
    Token token = tokens.take();
    switch (token.kind()) {
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.take().text());
        }
        String value = text.toString();
        return scope -> value;
      }
      case NUMBER -> {
        Object value =
            token.text().contains(".")
                ? (Object) Double.valueOf(token.text())
                : (Object) Long.valueOf(token.text());
        return scope -> value;
      }
      case NAME -> {
        return name(token.text());
      }
      default -> {
        return bracketed(token);
      }
    }
  }

  private static Expression name(String name) {
    return switch (name) {
      case "true", "True" -> scope -> true;
      case "false", "False" -> scope -> false;
      case "none", "None" -> scope -> null;
      case "and", "or", "not", "if", "else", "in", "is" ->
          throw new TemplateException("unexpected '" + name + "'");
      default -> scope -> scope.get(name);
    };
  }

  private Expression bracketed(Token token) {
    if (token.is("(")) {
      if (tokens.takeIf(")")) {
        return listOf(List.of());
      }
      Expression inner = expressions.tuple();
      tokens.expect(")");
      return inner;
    }
    if (token.is("[")) {
      return listOf(items("]"));
    }
    if (token.is("{")) {
      return map();
    }
    throw new TemplateException("unexpected '" + token.text() + "'");
  }

  private List<Expression> items(String close) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.takeIf(close)) {
      items.add(expressions.expression());
      if (!tokens.peek().is(close)) {
        tokens.expect(",");
      }
    }
    return items;
  }

  static Expression listOf(List<Expression> items) {
    return scope -> {
      List<Object> values = new ArrayList<>();
      scope.run().make(items.size() * Run.OBJECT);
      items.forEach(item -> values.add(item.value(scope)));
      return values;
    };
  }

  private Expression map() {
    Map<Expression, Expression> entries = new LinkedHashMap<>();
    while (!tokens.takeIf("}")) {
      Expression key = expressions.expression();
      tokens.expect(":");
      entries.put(key, expressions.expression());
      if (!tokens.peek().is("}")) {
        tokens.expect(",");
      }
    }
    return scope -> {
      Map<Object, Object> values = new LinkedHashMap<>();
      scope.run().make(entries.size() * 2 * Run.OBJECT);
      entries.forEach((key, value) -> values.put(Values.key(key.value(scope)), value.value(scope)));
      return values;
    };
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      Expression target = value;
      if (tokens.takeIf(".")) {
        Token attribute = tokens.take();
        if (attribute.kind() == Kind.NUMBER) {
          Object index = Long.valueOf(attribute.text());
          value = scope -> Values.item(scope.run(), target.value(scope), index);
        } else {
          value = scope -> Values.attribute(scope.run(), target.value(scope), attribute.text());
        }
      } else if (tokens.takeIf("[")) {
        value = subscript(target);
      } else if (tokens.takeIf("(")) {
        Arguments arguments = arguments();
        value = scope -> Operators.call(scope, target.value(scope), arguments);
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression target) {
    Expression from = tokens.peek().is(":") ? null : expressions.expression();
    if (!tokens.takeIf(":")) {
      tokens.expect("]");
      return scope -> Values.item(scope.run(), target.value(scope), from.value(scope));
    }
    Expression to =
        tokens.peek().is("]") || tokens.peek().is(":") ? null : expressions.expression();
    Expression step =
        tokens.takeIf(":") && !tokens.peek().is("]") ? expressions.expression() : null;
    tokens.expect("]");
    return scope ->
        Values.slice(
            scope.run(),
            target.value(scope),
            value(from, scope),
            value(to, scope),
            value(step, scope));
  }

  private static Object value(Expression expression, Scope scope) {
    return expression == null ? null : expression.value(scope);
  }

  /** Up to the closing bracket; the opening one is taken already. */
  Arguments arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.takeIf(")")) {
      if (tokens.peek().kind() == Kind.NAME && tokens.peek(1).is("=")) {
        String name = tokens.name();
        tokens.expect("=");
        named.put(name, expressions.expression());
      } else {
        positional.add(expressions.expression());
      }
      if (!tokens.peek().is(")")) {
        tokens.expect(",");
      }
    }
    return new Arguments(positional, named);
  }
}
