package io.attune.engine.template;

import java.time.Clock;

/** One rendering: its output and how much of the limits is used. Single-threaded. */
final class Run {
  static final int MAX_OUTPUT_CHARS = 8 << 20;
  private static final long MAX_STEPS = 2_000_000;
  private static final int MAX_DEPTH = 64;

  private final Clock clock;
  private StringBuilder output = new StringBuilder();
  private long steps;
  private int depth;

  Run(Clock clock) {
    this.clock = clock;
  }

  Clock clock() {
    return clock;
  }

  /** Counts work; {@code cost} is the characters or elements made, or 1. */
  void step(long cost) {
    // A character is a hundredth of a step: long conversations are legitimate, endless work is not.
    steps += 1 + cost / 100;
    if (steps > MAX_STEPS) {
      throw new TemplateException("does more than " + MAX_STEPS + " steps");
    }
  }

  void write(String text) {
    step(text.length());
    if (output.length() + text.length() > MAX_OUTPUT_CHARS) {
      throw new TemplateException("writes more than " + MAX_OUTPUT_CHARS + " characters");
    }
    output.append(text);
  }

  String output() {
    return output.toString();
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
      return output.toString();
    } finally {
      depth--;
      output = outer;
    }
  }
}
