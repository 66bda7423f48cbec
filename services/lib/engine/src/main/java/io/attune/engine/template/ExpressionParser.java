package io.attune.engine.template;

import io.attune.engine.template.Tokens.Kind;
import io.attune.engine.template.Tokens.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The operators of Jinja's expressions, loosest binding first. */
final class ExpressionParser {
  private static final int MAX_DEPTH = 100;

  private final Tokens tokens;
  private final OperandParser operands;
  private int depth;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this);
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
    return OperandParser.listOf(items);
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
    return tokens.takeIf("+") ? nested(this::signed) : operands.operand();
  }

  private Expression nested(Supplier<Expression> parse) {
    if (++depth > MAX_DEPTH) {
      throw new TemplateException("nests expressions more than " + MAX_DEPTH + " deep");
    }
    Expression value = parse.get();
    depth--;
    return value;
  }

  private Expression filtered(Expression start) {
    Expression value = start;
    while (true) {
      Expression target = value;
      if (tokens.takeIf("|")) {
        String filter = tokens.name();
        Arguments arguments = tokens.takeIf("(") ? operands.arguments() : Arguments.NONE;
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
      arguments = operands.arguments();
    } else if (startsArgument(tokens.peek())) {
      arguments = new Arguments(List.of(operands.operand()), Map.of());
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
}
