package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.template.Template;
import io.attune.engine.template.TemplateException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the rows of a file are understood where their keys alone do not say it.
 *
 * @param columns from the keys of {@link Shape} to those of the file; others of the file are left
 *     aside. Empty where the file has the keys of a shape.
 * @param promptTemplate writes the prompt from a row's values; null where the row has its own
 * @param sampleBy what a document is in a file of text
 */
public record RowFormat(
    Map<String, String> columns, @Nullable Template promptTemplate, SampleBy sampleBy) {
  /** What LLaMA-Factory's {@code columns} call the keys of instruction and judged rows. */
  private static final Map<String, String> LLAMA_FACTORY =
      Map.of("prompt", "instruction", "query", "input", "response", "output", "kto_tag", "label");

  private static final List<String> ANSWERS = List.of("completion", "output", "response");
  private static final List<String> JUDGEMENTS =
      List.of("chosen", "rejected", "margin", "label", "score", Shape.WEIGHT);

  public static final RowFormat DEFAULT = new RowFormat(Map.of(), null, SampleBy.DOCUMENT);

  /** What a document is in a file of text; names of the {@code datasets} library. */
  public enum SampleBy {
    /** The whole file. */
    DOCUMENT,
    /** What stands between empty lines. */
    PARAGRAPH,
    LINE;

    public static SampleBy named(String name) {
      for (SampleBy value : values()) {
        if (value.name().toLowerCase(Locale.ROOT).equals(name)) {
          return value;
        }
      }
      throw new IllegalArgumentException(
          "'sample_by' is " + name + "; it is document, paragraph or line");
    }
  }

  public RowFormat {
    boolean llamaFactory = columns.containsKey("response") || columns.containsKey("query");
    Map<String, String> own = new LinkedHashMap<>();
    columns.forEach(
        (name, key) -> {
          boolean renamed = LLAMA_FACTORY.containsKey(name) && (llamaFactory || !known(name));
          own.put(renamed ? LLAMA_FACTORY.get(name) : name, key);
        });
    own.keySet().stream()
        .filter(name -> !known(name))
        .forEach(
            name -> {
              throw new IllegalArgumentException(
                  "'columns' names '"
                      + name
                      + "', which is no key of a row; rows are one of "
                      + Shape.ALL);
            });
    columns = Map.copyOf(own);
  }

  private static boolean known(String name) {
    return Shape.ALL.stream().anyMatch(shape -> shape.knows(name));
  }

  /** Parses {@code columns} from a JSON object. */
  public static Map<String, String> columns(String json) {
    JsonNode object = JsonFiles.parse(json, "'columns'");
    Map<String, String> columns = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      columns.put(entry.getKey(), entry.getValue().textValue());
    }
    if (columns.isEmpty() || columns.containsValue(null)) {
      throw new IllegalArgumentException(
          "'columns' is " + json + ", not a JSON object of texts such as {\"output\": \"answer\"}");
    }
    return columns;
  }

  /**
   * Reads a row.
   *
   * @param where names its origin in messages
   */
  WeightedRow parse(JsonNode row, String where) {
    if (!row.isObject()) {
      throw new EngineException(Reason.INVALID_ARGUMENT, where + " is not a JSON object");
    }
    JsonNode own = columns.isEmpty() ? row : renamed(row, where);
    RowParser parser =
        new RowParser(promptTemplate == null ? own : prompted(row, own, where), where);
    return new WeightedRow(parser.parse(), parser.weight());
  }

  /** Reads the prompt of a row, and keeps all else that it says. */
  Row.Prompt prompt(JsonNode row, String where) {
    if (!row.isObject()) {
      throw new EngineException(Reason.INVALID_ARGUMENT, where + " is not a JSON object");
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    row.properties().forEach(e -> fields.put(e.getKey(), JsonFiles.plain(e.getValue())));
    JsonNode own = row;
    if (columns.containsKey("prompt") && row.has(columns.get("prompt"))) {
      own = JsonFiles.newObject().set("prompt", row.get(columns.get("prompt")));
    }
    JsonNode read = promptTemplate == null ? own : prompted(row, own, where);
    return new Row.Prompt(new RowParser(read, where).prompt(), fields);
  }

  private ObjectNode renamed(JsonNode row, String where) {
    ObjectNode own = JsonFiles.newObject();
    columns.forEach(
        (name, key) -> {
          if (row.has(key)) {
            own.set(name, row.get(key));
          } else if (Shape.ALL.stream().anyMatch(shape -> shape.required().contains(name))) {
            throw new EngineException(
                Reason.INVALID_ARGUMENT,
                where + " has no key '" + key + "', which 'columns' names as '" + name + "'");
          }
        });
    return own;
  }

  /** A row of prompt and answer, the prompt as the template writes it. */
  private ObjectNode prompted(JsonNode row, JsonNode own, String where) {
    Map<String, Object> variables = new LinkedHashMap<>();
    for (JsonNode source : List.of(row, own)) {
      for (Map.Entry<String, JsonNode> entry : source.properties()) {
        variables.put(entry.getKey(), JsonFiles.plain(entry.getValue()));
      }
    }
    ObjectNode prompted = JsonFiles.newObject();
    try {
      prompted.put("prompt", promptTemplate.render(variables, Clock.systemDefaultZone()));
    } catch (TemplateException e) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, where + ": 'prompt_template' " + e.getMessage(), e);
    }
    JUDGEMENTS.stream().filter(own::has).forEach(key -> prompted.set(key, own.get(key)));
    ANSWERS.stream()
        .filter(own::has)
        .findFirst()
        .ifPresent(key -> prompted.set("completion", own.get(key)));
    return prompted;
  }
}
