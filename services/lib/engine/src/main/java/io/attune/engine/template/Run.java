package io.attune.engine.template;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/** One rendering: its output and how much of the limits is used. Single-threaded. */
final class Run {
  static final int MAX_OUTPUT_CHARS = 8 << 20;
  private static final long MAX_STEPS = 10_000_000;

  /** Characters of all texts made, and what lists take as characters: all may be held at once. */
  private static final long MAX_MADE_CHARS = 32 << 20;

  /** What an object takes, in characters. */
  static final long OBJECT = 32;

  private static final int MAX_DEPTH = 64;

  private final Clock clock;
  private StringBuilder output = new StringBuilder();
  private long work;
  private long made;
  private int depth;
  private final List<Rendering.Span> generated = new ArrayList<>();

  Run(Clock clock) {
    this.clock = clock;
  }

  Clock clock() {
    return clock;
  }

  /** Counts a step, and the characters or elements that it looks at. */
  void step(long cost) {
    // A character is a hundredth of a step: long conversations are legitimate, endless work is not.
    work(100 + cost);
  }

  /** Counts characters looked at alone. */
  void work(long chars) {
    work += chars;
    if (work > 100 * MAX_STEPS) {
      throw new TemplateException("does more than " + MAX_STEPS + " steps");
    }
  }

  /** Counts memory: what is made may be kept, so none of it is ever given back. */
  void make(long chars) {
    step(chars);
    made += chars;
    if (made > MAX_MADE_CHARS) {
      throw new TemplateException("makes texts and lists of more than " + MAX_MADE_CHARS);
    }
  }

  /** Counts a text that was made. */
  String made(String text) {
    make(text.length());
    return text;
  }

  void write(String text) {
    make(text.length());
    if (output.length() + text.length() > MAX_OUTPUT_CHARS) {
      throw new TemplateException("writes more than " + MAX_OUTPUT_CHARS + " characters");
    }
    output.append(text);
  }

  Rendering rendering() {
    return new Rendering(output.toString(), generated);
  }

  /** Runs a block and keeps where in the output it wrote. */
  void generation(Runnable body) {
    int start = output.length();
    body.run();
    if (depth == 0) { // else the text is captured: where it ends up, if anywhere, is not known
      generated.add(new Rendering.Span(start, output.length()));
    }
  }

  /** What a macro body or a block {@code set} writes, kept out of the output. */
  String capture(Runnable body) {
    StringBuilder outer = output;
    output = new StringBuilder();
    if (++depth > MAX_DEPTH) {
      throw new TemplateException("calls macros more than " + MAX_DEPTH + " deep");
    }
    try {
      body.run();
      return made(output.toString());
    } finally {
      depth--;
      output = outer;
    }
  }
}
