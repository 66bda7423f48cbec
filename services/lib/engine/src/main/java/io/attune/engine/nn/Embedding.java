package io.attune.engine.nn;

import ai.djl.ndarray.types.Shape;

/**
 * A table of vectors that tokens are looked up in.
 *
 * @param name module path as in the checkpoint; its weight is {@code name + ".weight"}, [V, E]
 * @param scale multiplies what is looked up; an adapter's virtual tokens are not scaled
 */
public record Embedding(String name, int vocabulary, int size, double scale) {
  public Embedding(String name, int vocabulary, int size) {
    this(name, vocabulary, size, 1);
  }

  /** The same table under another name. */
  public Embedding named(String other) {
    return new Embedding(other, vocabulary, size, scale);
  }

  public String weight() {
    return name + ".weight";
  }

  public Shape shape() {
    return new Shape(vocabulary, size);
  }
}
