package io.attune.engine.template;

import java.util.List;

/** A parsed piece of a template. */
@FunctionalInterface
interface Statement {
  void run(Scope scope);

  static void runAll(List<Statement> statements, Scope scope) {
    for (Statement statement : statements) {
      scope.run().step(1);
      statement.run(scope);
    }
  }
}
