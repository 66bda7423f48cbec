package io.attune.engine.template;

import io.attune.engine.template.Tokens.Kind;
import io.attune.engine.template.Tokens.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Jinja's expression grammar, loosest binding first. */
final class ExpressionParser {
  private static final int MAX_DEPTH = 100;

  private final Tokens tokens;
  private int depth;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  static Expression parse(String source) {
    Tokens tokens = new Tokens(source);
    Expression expression = new ExpressionParser(tokens).tuple();
    tokens.end();
    return expression;
  }

  /** One expression, or several with commas between, which make a list. */
  Expression tuple() {
    Expression first = expression();
    if (!tokens.peek().is(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.takeIf(",")) {
      if (tokens.peek().kind() == Kind.END || tokens.peek().is(")") || tokens.peek().is("=")) {
        break;
      }
      items.add(expression());
    }
    return listOf(items);
  }

  Expression expression() {
    return nested(this::conditional);
  }

  private Expression conditional() {
    Expression value = or();
    while (tokens.takeIf("if")) {
      Expression then = value;
      Expression condition = or();
      Expression otherwise =
          tokens.takeIf("else") ? expression() : scope -> new Undefined("else branch");
      value =
          scope ->
              Values.truth(condition.value(scope)) ? then.value(scope) : otherwise.value(scope);
    }
    return value;
  }

  /** Without the conditional form: what a {@code for} iterates over, before its {@code if}. */
  Expression or() {
    Expression left = and();
    while (tokens.takeIf("or")) {
      Expression a = left;
      Expression b = and();
      left =
          scope -> {
            Object value = a.value(scope);
            return Values.truth(value) ? value : b.value(scope);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.takeIf("and")) {
      Expression a = left;
      Expression b = not();
      left =
          scope -> {
            Object value = a.value(scope);
            return Values.truth(value) ? b.value(scope) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (tokens.takeIf("not")) {
      Expression inner = nested(this::not);
      return scope -> !Values.truth(inner.value(scope));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression left = sum();
    Expression result = null;
    while (true) {
      String operator = comparisonOperator();
      if (operator == null) {
        return result == null ? left : result;
      }
      Expression a = left;
      Expression b = sum();
      Expression before = result;
      Expression here =
          scope -> Operators.compare(scope.run(), operator, a.value(scope), b.value(scope));
      // a < b < c means a < b and b < c.
      result =
          before == null
              ? here
              : scope -> Values.truth(before.value(scope)) ? here.value(scope) : (Object) false;
      left = b;
    }
  }

  private String comparisonOperator() {
    for (String operator : List.of("==", "!=", "<=", ">=", "<", ">", "in")) {
      if (tokens.takeIf(operator)) {
        return operator;
      }
    }
    if (tokens.peek().is("not") && tokens.peek(1).is("in")) {
      tokens.take();
      tokens.take();
      return "not in";
    }
    return null;
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.peek().is("+") || tokens.peek().is("-")) {
      left = arithmetic(tokens.take().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (tokens.takeIf("~")) {
      Expression a = left;
      Expression b = product();
      left =
          scope ->
              Operators.join(
                  scope.run(),
                  Values.string(scope.run(), a.value(scope)),
                  Values.string(scope.run(), b.value(scope)));
    }
    return left;
  }

  private Expression product() {
    Expression left = unary();
    while (tokens.peek().is("*")
        || tokens.peek().is("/")
        || tokens.peek().is("//")
        || tokens.peek().is("%")) {
      left = arithmetic(tokens.take().text(), left, unary());
    }
    return left;
  }

  private static Expression arithmetic(String operator, Expression a, Expression b) {
    return scope -> Operators.apply(scope.run(), operator, a.value(scope), b.value(scope));
  }

  private Expression unary() {
    return filtered(signed());
  }

  /** A sign binds tighter than a filter: {@code -3 | abs} is 3. */
  private Expression signed() {
    if (tokens.takeIf("-")) {
      Expression inner = nested(this::signed);
      return scope -> Operators.apply(scope.run(), "-", 0L, inner.value(scope));
    }
    return tokens.takeIf("+") ? nested(this::signed) : postfix(counted(primary()));
  }

  private Expression nested(java.util.function.Supplier<Expression> parse) {
    if (++depth > MAX_DEPTH) {
      throw new TemplateException("nests expressions more than " + MAX_DEPTH + " deep");
    }
    Expression value = parse.get();
    depth--;
    return value;
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
      Expression inner = tuple();
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
      items.add(expression());
      if (!tokens.peek().is(close)) {
        tokens.expect(",");
      }
    }
    return items;
  }

  private static Expression listOf(List<Expression> items) {
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
      Expression key = expression();
      tokens.expect(":");
      entries.put(key, expression());
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

  private Expression filtered(Expression start) {
    Expression value = start;
    while (true) {
      Expression target = value;
      if (tokens.takeIf("|")) {
        String filter = tokens.name();
        Arguments arguments = tokens.takeIf("(") ? arguments() : Arguments.NONE;
        Filters.check(filter);
        value =
            scope ->
                Filters.apply(
                    scope.run(),
                    filter,
                    target.value(scope),
                    arguments.values(scope),
                    arguments.namedValues(scope));
      } else if (tokens.takeIf("is")) {
        value = test(target);
      } else {
        return value;
      }
    }
  }

  private Expression test(Expression target) {
    boolean negated = tokens.takeIf("not");
    String test = tokens.name();
    Arguments arguments = Arguments.NONE;
    if (tokens.takeIf("(")) {
      arguments = arguments();
    } else if (startsArgument(tokens.peek())) {
      arguments = new Arguments(List.of(postfix(counted(primary()))), Map.of());
    }
    Tests.check(test);
    Arguments given = arguments;
    return scope ->
        Tests.test(scope.run(), test, target.value(scope), given.values(scope)) != negated;
  }

  private static boolean startsArgument(Token token) {
    return token.kind() == Kind.STRING
        || token.kind() == Kind.NUMBER
        || token.is("[")
        || (token.kind() == Kind.NAME
            && !List.of("and", "or", "not", "if", "else", "in", "is").contains(token.text()));
  }

  private Expression subscript(Expression target) {
    Expression from = tokens.peek().is(":") ? null : expression();
    if (!tokens.takeIf(":")) {
      tokens.expect("]");
      return scope -> Values.item(scope.run(), target.value(scope), from.value(scope));
    }
    Expression to = tokens.peek().is("]") || tokens.peek().is(":") ? null : expression();
    Expression step = tokens.takeIf(":") && !tokens.peek().is("]") ? expression() : null;
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

  private Arguments arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.takeIf(")")) {
      if (tokens.peek().kind() == Kind.NAME && tokens.peek(1).is("=")) {
        String name = tokens.name();
        tokens.expect("=");
        named.put(name, expression());
      } else {
        positional.add(expression());
      }
      if (!tokens.peek().is(")")) {
        tokens.expect(",");
      }
    }
    return new Arguments(positional, named);
  }
}
