package io.attune.engine.template;

import io.attune.engine.template.Segments.Kind;
import io.attune.engine.template.Segments.Segment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Turns segments into statements. */
final class StatementParser {
  private static final int MAX_DEPTH = 64;

  private final List<Segment> segments;
  private int next;
  private int depth;

  /** The statement that ended the last block, such as {@code else}. */
  private Tokens ending;

  private boolean marksGeneration;

  private StatementParser(List<Segment> segments) {
    this.segments = segments;
  }

  /** What a template does, and whether it marks what the assistant writes. */
  record Parsed(List<Statement> statements, boolean marksGeneration) {}

  static Parsed parse(String template) {
    StatementParser parser = new StatementParser(Segments.of(template));
    List<Statement> statements = parser.block(Set.of());
    return new Parsed(statements, parser.marksGeneration);
  }

  private List<Statement> block(Set<String> endings) {
    if (++depth > MAX_DEPTH) {
      throw new TemplateException("nests blocks more than " + MAX_DEPTH + " deep");
    }
    List<Statement> statements = new ArrayList<>();
    while (next < segments.size()) {
      Segment segment = segments.get(next++);
      try {
        if (segment.kind() == Kind.TEXT) {
          statements.add(scope -> scope.run().write(segment.text()));
        } else if (segment.kind() == Kind.OUTPUT) {
          Expression value = ExpressionParser.parse(segment.text());
          statements.add(
              scope -> scope.run().write(Values.string(scope.run(), value.value(scope))));
        } else {
          Tokens tokens = new Tokens(segment.text());
          String keyword = tokens.name();
          if (endings.contains(keyword)) {
            ending = tokens;
            depth--;
            return statements;
          }
          statements.add(located(statement(keyword, tokens), segment.line()));
        }
      } catch (TemplateException e) {
        throw located(e, segment.line());
      }
    }
    if (!endings.isEmpty()) {
      throw new TemplateException(
          "ends where one of " + new java.util.TreeSet<>(endings) + " is missing");
    }
    depth--;
    return statements;
  }

  private static TemplateException located(TemplateException e, int line) {
    return e.getMessage().startsWith("line ")
        ? e
        : new TemplateException("line " + line + ": " + e.getMessage());
  }

  private static Statement located(Statement statement, int line) {
    return scope -> {
      try {
        statement.run(scope);
      } catch (TemplateException e) {
        throw located(e, line);
      }
    };
  }

  private Statement statement(String keyword, Tokens tokens) {
    return switch (keyword) {
      case "if" -> condition(tokens);
      case "for" -> loop(tokens);
      case "set" -> set(tokens);
      case "macro" -> macro(tokens);
      case "break" -> jump(tokens, Loop.Jump.BREAK);
      case "continue" -> jump(tokens, Loop.Jump.CONTINUE);
      // Marks what the assistant writes, for training; changes nothing in the text.
      case "generation" -> {
        tokens.end();
        List<Statement> body = block(Set.of("endgeneration"));
        marksGeneration = true;
        yield scope -> scope.run().generation(() -> Statement.runAll(body, scope));
      }
      default -> throw new TemplateException("statement '" + keyword + "' is not supported");
    };
  }

  private static Statement jump(Tokens tokens, Loop.Jump jump) {
    tokens.end();
    return scope -> {
      throw jump;
    };
  }

  private Statement condition(Tokens first) {
    List<Expression> conditions = new ArrayList<>();
    List<List<Statement>> branches = new ArrayList<>();
    Tokens tokens = first;
    while (true) {
      conditions.add(new ExpressionParser(tokens).tuple());
      tokens.end();
      branches.add(block(Set.of("elif", "else", "endif")));
      tokens = ending;
      String end = endingKeyword(tokens);
      if (end.equals("elif")) {
        continue;
      }
      if (end.equals("else")) {
        tokens.end();
        conditions.add(scope -> true);
        branches.add(block(Set.of("endif")));
      }
      return scope -> {
        for (int i = 0; i < conditions.size(); i++) {
          if (Values.truth(conditions.get(i).value(scope))) {
            Statement.runAll(branches.get(i), scope);
            return;
          }
        }
      };
    }
  }

  private String endingKeyword(Tokens tokens) {
    return tokens.peek(-1).text();
  }

  private Statement loop(Tokens tokens) {
    List<String> targets = new ArrayList<>();
    boolean bracket = tokens.takeIf("(");
    do {
      targets.add(tokens.name());
    } while (tokens.takeIf(","));
    if (bracket) {
      tokens.expect(")");
    }
    tokens.expect("in");
    ExpressionParser expressions = new ExpressionParser(tokens);
    Expression items = expressions.or();
    Expression condition = tokens.takeIf("if") ? expressions.expression() : null;
    tokens.end();
    List<Statement> body = block(Set.of("else", "endfor"));
    List<Statement> otherwise =
        endingKeyword(ending).equals("else") ? block(Set.of("endfor")) : List.of();
    return new Loop(targets, items, condition, body, otherwise);
  }

  private Statement set(Tokens tokens) {
    List<String> names = new ArrayList<>(List.of(tokens.name()));
    if (tokens.takeIf(".")) {
      String attribute = tokens.name();
      tokens.expect("=");
      Expression value = new ExpressionParser(tokens).tuple();
      tokens.end();
      return scope -> {
        if (!(scope.get(names.get(0)) instanceof Values.Namespace namespace)) {
          throw new TemplateException("'" + names.get(0) + "' is not a namespace");
        }
        namespace.attributes().put(attribute, value.value(scope));
      };
    }
    while (tokens.takeIf(",")) {
      names.add(tokens.name());
    }
    if (!tokens.takeIf("=")) {
      tokens.end();
      List<Statement> body = block(Set.of("endset"));
      return scope ->
          scope.set(names.get(0), scope.run().capture(() -> Statement.runAll(body, scope.child())));
    }
    Expression value = new ExpressionParser(tokens).tuple();
    tokens.end();
    return scope -> assign(scope, names, value.value(scope));
  }

  private static void assign(Scope scope, List<String> names, Object value) {
    if (names.size() == 1) {
      scope.set(names.get(0), value);
      return;
    }
    List<?> parts = Values.items(scope.run(), value);
    if (parts.size() != names.size()) {
      throw new TemplateException("unpacks " + parts.size() + " values into " + names);
    }
    for (int i = 0; i < parts.size(); i++) {
      scope.set(names.get(i), parts.get(i));
    }
  }

  private Statement macro(Tokens tokens) {
    String name = tokens.name();
    tokens.expect("(");
    Map<String, Expression> parameters = new LinkedHashMap<>();
    while (!tokens.takeIf(")")) {
      String parameter = tokens.name();
      parameters.put(
          parameter,
          tokens.takeIf("=")
              ? new ExpressionParser(tokens).expression()
              : scope -> new Undefined(parameter));
      if (!tokens.peek().is(")")) {
        tokens.expect(",");
      }
    }
    tokens.end();
    List<Statement> body = block(Set.of("endmacro"));
    return definition -> definition.set(name, callable(name, parameters, body, definition));
  }

  private static Callable callable(
      String name, Map<String, Expression> parameters, List<Statement> body, Scope definition) {
    return (run, args, named) -> {
      if (args.size() > parameters.size() || !parameters.keySet().containsAll(named.keySet())) {
        throw new TemplateException("macro '" + name + "' takes " + parameters.keySet());
      }
      Scope scope = definition.child();
      int i = 0;
      for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
        String key = parameter.getKey();
        Object value =
            i < args.size()
                ? args.get(i)
                : named.containsKey(key) ? named.get(key) : parameter.getValue().value(scope);
        scope.set(key, value);
        i++;
      }
      return run.capture(() -> Statement.runAll(body, scope));
    };
  }
}
