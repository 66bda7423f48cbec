package io.attune.engine.template;

/** A parsed expression. */
@FunctionalInterface
interface Expression {
  Object value(Scope scope);
}
