package io.attune.launcher.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.evaluate.Bootstrap;
import io.attune.engine.evaluate.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Results for people, as a table, and for programs, as JSON. */
public final class Report {
  private final Bootstrap bootstrap;

  public Report(Bootstrap bootstrap) {
    this.bootstrap = bootstrap;
  }

  /** A line for each result under a line of headings; columns are as wide as they need to be. */
  public String table(List<Result> results) {
    boolean compared = results.stream().anyMatch(result -> result.difference() != null);
    String interval =
        String.format(Locale.ROOT, "%s%% interval", number(100 * bootstrap.confidence()));
    List<List<String>> lines = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("metric", "value", interval));
    if (compared) {
      head.addAll(List.of("baseline", interval, "difference", interval));
    }
    head.addAll(List.of("measured on", ""));
    lines.add(head);
    for (Result result : results) {
      List<String> line = new ArrayList<>(List.of(result.name()));
      add(line, result.value(), "%.4f");
      if (compared) {
        add(line, result.baseline(), "%.4f");
        add(line, result.difference(), "%+.4f");
      }
      line.add(result.rows() + " " + result.unit());
      line.add(result.signature());
      lines.add(line);
    }
    return aligned(lines);
  }

  /** The same as JSON: with all digits, and how intervals were drawn. */
  public void write(List<Result> results, ObjectNode json) {
    ObjectNode drawn = json.putObject("bootstrap");
    drawn.put("resamples", bootstrap.resamples());
    drawn.put("confidence", bootstrap.confidence());
    drawn.put("seed", bootstrap.seed());
    for (Result result : results) {
      json.withArray("metrics").add(json(result));
    }
  }

  /** One result. */
  public ObjectNode json(Result result) {
    ObjectNode json = JsonFiles.newObject();
    json.put("name", result.name());
    put(json, result.value());
    json.put("rows", result.rows());
    json.put("unit", result.unit());
    if (!result.signature().isEmpty()) {
      json.put("signature", result.signature());
    }
    if (result.baseline() != null) {
      put(json.putObject("baseline"), result.baseline());
      put(json.putObject("difference"), result.difference());
    }
    return json;
  }

  private static void put(ObjectNode json, Interval interval) {
    json.put("value", interval.value());
    json.put("low", interval.low());
    json.put("high", interval.high());
  }

  private static void add(List<String> line, Interval interval, String format) {
    line.add(String.format(Locale.ROOT, format, interval.value()));
    line.add(
        String.format(
            Locale.ROOT, "[" + format + ", " + format + "]", interval.low(), interval.high()));
  }

  private static String number(double value) {
    long whole = Math.round(value);
    return Math.abs(value - whole) < 1e-9 ? Long.toString(whole) : Double.toString(value);
  }

  private static String aligned(List<List<String>> lines) {
    StringBuilder out = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder text = new StringBuilder();
      for (int column = 0; column < line.size(); column++) {
        int at = column;
        int width = lines.stream().mapToInt(other -> other.get(at).length()).max().orElse(0);
        String cell = line.get(column);
        text.append(cell).append(" ".repeat(width - cell.length() + 2));
      }
      out.append(text.toString().stripTrailing()).append(System.lineSeparator());
    }
    return out.toString();
  }
}
