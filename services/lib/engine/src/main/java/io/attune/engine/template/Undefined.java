package io.attune.engine.template;

/** A name or key that has no value: prints as nothing, is false, and has no attributes. */
record Undefined(String name) {}
