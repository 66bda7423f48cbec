package io.attune.engine.template;

import java.util.List;

/**
 * What a template wrote.
 *
 * @param generated where the blocks {@code generation} wrote, in order: what the assistant says
 */
public record Rendering(String text, List<Span> generated) {
  public Rendering {
    generated = List.copyOf(generated);
  }

  /** Characters from {@code start} to before {@code end}. */
  public record Span(int start, int end) {}
}
