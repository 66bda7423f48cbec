package io.attune.engine.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A parsed chat template. Immutable and thread-safe. */
public final class Template {
  private static final int MAX_RANGE = 100_000;

  private final StatementParser.Parsed parsed;

  private Template(StatementParser.Parsed parsed) {
    this.parsed = parsed;
  }

  /** Refuses what is malformed or not supported, naming the line. */
  public static Template parse(String source) {
    try {
      return new Template(StatementParser.parse(source));
    } catch (NumberFormatException e) {
      throw new TemplateException("has a malformed number: " + e.getMessage());
    }
  }

  /** Whether a block {@code generation} marks what the assistant says. */
  public boolean marksGeneration() {
    return parsed.marksGeneration();
  }

  /** As {@link #run}, for the text alone. */
  public String render(Map<String, ?> variables, Clock clock) {
    return run(variables, clock).text();
  }

  /**
   * Renders with the given variables: null, booleans, numbers, strings, and lists and maps of them.
   *
   * @param clock what {@code strftime_now} reads
   */
  public Rendering run(Map<String, ?> variables, Clock clock) {
    Run run = new Run(clock);
    Scope globals = new Scope(null, run);
    functions(globals);
    variables.forEach((name, value) -> globals.set(name, Values.of(value)));
    try {
      Statement.runAll(parsed.statements(), globals.child());
    } catch (Loop.Jump e) {
      throw new TemplateException("has 'break' or 'continue' outside of a loop");
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      throw new TemplateException("calls something with wrong arguments: " + e.getMessage());
    } catch (StackOverflowError e) {
      throw new TemplateException("nests too deep");
    }
    return run.rendering();
  }

  static void functions(Scope globals) {
    Callable raise =
        (run, args, named) -> {
          throw new TemplateException("says: " + Values.string(run, args.get(0)));
        };
    globals.set("raise_exception", raise);
    Callable namespace = (run, args, named) -> new Values.Namespace(new LinkedHashMap<>(named));
    globals.set("namespace", namespace);
    Callable dict = (run, args, named) -> new LinkedHashMap<Object, Object>(named);
    globals.set("dict", dict);
    Callable range = (run, args, named) -> range(run, args);
    globals.set("range", range);
    Callable now =
        (run, args, named) ->
            Strftime.format(run, ZonedDateTime.now(run.clock()), Values.string(run, args.get(0)));
    globals.set("strftime_now", now);
  }

  private static List<Object> range(Run run, List<Object> args) {
    long start = args.size() > 1 ? Values.toLong(args.get(0)) : 0;
    long end = Values.toLong(args.get(args.size() > 1 ? 1 : 0));
    long step = args.size() > 2 ? Values.toLong(args.get(2)) : 1;
    if (step == 0 || Math.abs((double) end - start) / Math.abs((double) step) > MAX_RANGE) {
      throw new TemplateException("has a range of more than " + MAX_RANGE + " numbers");
    }
    List<Object> numbers = new java.util.ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      run.make(Run.OBJECT);
      numbers.add(i);
    }
    return numbers;
  }
}
