package io.attune.launcher.demo;

import io.attune.launcher.quickstart.Question;
import java.util.List;
import java.util.Locale;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;

/**
 * What the simulated raters look for in a support reply. A transparent list of surface features:
 * enough to show that the loop learns what its raters reward, no claim about good support.
 */
final class Rubric {
  private static final int CURT_WORDS = 8;
  private static final int LONG_WORDS = 80;

  /** A feature that earns points, and for which questions it can be had. */
  private record Merit(String name, double points, BiPredicate<Question, String> had) {}

  /** A feature that costs points. */
  private record Fault(String name, double points, BiPredicate<Question, String> had) {}

  private static final Merit APOLOGY =
      new Merit(
          "an apology, where something went wrong for the customer",
          0.20,
          matches("\\b(sorry|apolog)"));

  private static final List<Merit> MERITS =
      List.of(
          new Merit(
              "a greeting or thanks at the start",
              0.15,
              matches(
                  "^\\W*(hello|hi|hey|good (day|morning|afternoon|evening)|welcome|thank|dear)\\b")),
          APOLOGY,
          new Merit(
              "the thing that the customer asks about is named",
              0.15,
              (question, answer) -> answer.contains(question.thing().toLowerCase(Locale.ROOT))),
          new Merit(
              "a concrete next step and its time",
              0.30,
              matches(
                      "\\b((i|we|you|it|there|driver|carrier|office|team|[a-z]+) (will|have|can|is|has|opens)|please)\\b")
                  .and(
                      matches(
                          "\\b(today|tomorrow|tonight|this (afternoon|evening|week)|within|monday|tuesday"
                              + "|wednesday|thursday|friday|saturday|sunday|by the end of|next week|hours?|\\d+ days?)\\b"))),
          new Merit(
              "a polite ending",
              0.20,
              matches(
                  "(anything else|happy to help|(lovely|nice|great|good) day\\W*$|your patience|let (me|us) know|feel free|at any time|regards)")));

  private static final List<Fault> FAULTS =
      List.of(
          new Fault(
              "blame or rudeness",
              0.30,
              matches(
                  "(your own fault|you should|must have done something wrong|think before|not our problem"
                      + "|nobody else|stop asking|whatever\\.|ask somebody else|no idea)")),
          new Fault(
              "curt: fewer than " + CURT_WORDS + " words",
              0.20,
              (question, answer) -> words(answer) < CURT_WORDS),
          new Fault(
              "long: more than " + LONG_WORDS + " words",
              0.20,
              (question, answer) -> words(answer) > LONG_WORDS));

  private Rubric() {}

  /** From 0 (worst) to 1 (best): points earned as a share of those that could be, less faults. */
  static double score(Question question, String answer) {
    String text = answer.strip().toLowerCase(Locale.ROOT);
    double earned = 0;
    double possible = 0;
    for (Merit merit : MERITS) {
      if (merit == APOLOGY && !question.problem()) {
        continue;
      }
      possible += merit.points();
      earned += merit.had().test(question, text) ? merit.points() : 0;
    }
    double score = earned / possible;
    for (Fault fault : FAULTS) {
      score -= fault.had().test(question, text) ? fault.points() : 0;
    }
    return Math.max(0, Math.min(1, score));
  }

  /** The rubric in words, a line each. */
  static List<String> lines() {
    List<String> lines = new java.util.ArrayList<>();
    MERITS.forEach(m -> lines.add(String.format(Locale.ROOT, "+%.2f  %s", m.points(), m.name())));
    FAULTS.forEach(f -> lines.add(String.format(Locale.ROOT, "-%.2f  %s", f.points(), f.name())));
    return lines;
  }

  private static BiPredicate<Question, String> matches(String regex) {
    Pattern pattern = Pattern.compile(regex);
    return (question, answer) -> pattern.matcher(answer).find();
  }

  private static int words(String text) {
    return text.isBlank() ? 0 : text.strip().split("\\s+").length;
  }
}
