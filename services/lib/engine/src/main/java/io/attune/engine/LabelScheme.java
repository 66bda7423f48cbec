package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Label;
import io.attune.engine.data.Row;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.ProblemType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Between the labels that rows write and the logits of a classifier. */
final class LabelScheme {
  /** Classes that rows may number, so that a stray number does not make a head of its size. */
  private static final int MAX_CLASSES = 100_000;

  private final ClassLabels labels;
  private final Map<String, Integer> byName = new java.util.HashMap<>();

  LabelScheme(ClassLabels labels) {
    this.labels = labels;
    for (int i = 0; i < labels.count(); i++) {
      byName.put(labels.names().get(i), i);
    }
  }

  /**
   * The labels that rows speak of, for a head that is new. Names are sorted, as transformers'
   * examples do, and numbers are those of the classes; a value that is no integer makes it
   * regression, a list several labels.
   *
   * @param given what {@code problem_type} was set to; null to tell by the rows
   * @param where the rows come from, for messages
   */
  static ClassLabels of(List<Row> rows, @Nullable ProblemType given, String where) {
    List<Label> all = labels(rows);
    boolean several = all.stream().anyMatch(Label.Several.class::isInstance);
    TreeSet<String> names = new TreeSet<>();
    double largest = -1;
    boolean fractions = false;
    for (Label label : each(all)) {
      if (label instanceof Label.Name named) {
        names.add(named.name());
      } else if (label instanceof Label.Number number) {
        largest = Math.max(largest, number.value());
        fractions |= !number.integral();
      }
    }
    if (given == ProblemType.REGRESSION || (given == null && fractions && names.isEmpty())) {
      int values = all.get(0) instanceof Label.Several list ? list.each().size() : 1;
      return new ClassLabels(ClassLabels.unnamed(values).names(), ProblemType.REGRESSION);
    }
    if (!names.isEmpty() && largest >= 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          where + " names some labels (" + names.first() + ") and numbers others; use one of both");
    }
    if (largest >= MAX_CLASSES) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          where + " has label " + (long) largest + "; there can be " + MAX_CLASSES + " classes");
    }
    List<String> found =
        names.isEmpty() ? ClassLabels.unnamed((int) largest + 1).names() : List.copyOf(names);
    if (found.size() < 2) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA,
          where + " has the label " + found + " alone; there is nothing to tell apart");
    }
    ProblemType usual =
        several ? ProblemType.MULTI_LABEL_CLASSIFICATION : ProblemType.SINGLE_LABEL_CLASSIFICATION;
    return new ClassLabels(found, given == null ? usual : given);
  }

  private static List<Label> labels(List<Row> rows) {
    List<Label> all = new ArrayList<>();
    for (Row row : rows) {
      if (row instanceof Row.Classified classified) {
        all.add(classified.label());
      } else if (row instanceof Row.Tagged tagged) {
        all.addAll(tagged.labels());
      }
    }
    return all;
  }

  private static List<Label> each(List<Label> labels) {
    List<Label> all = new ArrayList<>();
    for (Label label : labels) {
      all.addAll(label instanceof Label.Several several ? several.each() : List.of(label));
    }
    return all;
  }

  ClassLabels labels() {
    return labels;
  }

  /** What {@link io.attune.engine.data.LabelledText#targets} holds; refuses an unknown label. */
  double[] target(Label label) {
    return switch (labels.problemType()) {
      case SINGLE_LABEL_CLASSIFICATION -> new double[] {index(label)};
      case MULTI_LABEL_CLASSIFICATION -> {
        double[] holds = new double[labels.count()];
        for (Label each : each(List.of(label))) {
          holds[index(each)] = 1;
        }
        yield holds;
      }
      case REGRESSION -> values(label);
    };
  }

  private double[] values(Label label) {
    List<Label> all = each(List.of(label));
    double[] values = new double[labels.count()];
    if (all.size() != values.length) {
      throw refused("has " + label + " as label; the model predicts " + values.length + " values");
    }
    for (int i = 0; i < values.length; i++) {
      if (!(all.get(i) instanceof Label.Number number)) {
        throw refused("has " + label + " as label; regression needs numbers");
      }
      values[i] = number.value();
    }
    return values;
  }

  private int index(Label label) {
    if (label instanceof Label.Name named && byName.containsKey(named.name())) {
      return byName.get(named.name());
    }
    if (label instanceof Label.Number number
        && number.integral()
        && number.value() >= 0
        && number.value() < labels.count()) {
      return (int) number.value();
    }
    if (label instanceof Label.Several) {
      throw refused("has " + label + " as label; the model gives each text one class");
    }
    throw refused(
        "has the label " + label + ", which is none of the model's: " + shown(labels.names()));
  }

  private static String shown(List<String> names) {
    return names.size() <= 20
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 20)) + ", ... (" + names.size() + ")";
  }

  private static EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, what);
  }
}
