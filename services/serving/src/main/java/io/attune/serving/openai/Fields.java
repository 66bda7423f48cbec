package io.attune.serving.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Iterator;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The fields of a JSON object, read one by one. A null is an absent field, as the OpenAI clients
 * send it.
 */
final class Fields {

  private final JsonNode object;
  private final String path;

  /**
   * @param path what comes before a field's name in messages; empty for the body
   */
  Fields(JsonNode object, String path) {
    if (object == null || !object.isObject()) {
      throw new RefusedField(path.isEmpty() ? null : path, where(path) + " must be a JSON object.");
    }
    this.object = object;
    this.path = path;
  }

  private static String where(String path) {
    return path.isEmpty() ? "The body" : "\"" + path + "\"";
  }

  /**
   * Refuses every field that is neither read, nor harmless to leave out, nor at the value that
   * means nothing.
   */
  void allow(Set<String> read, Set<String> harmless, Map<String, Predicate<JsonNode>> neutral) {
    Iterator<Map.Entry<String, JsonNode>> all = object.fields();
    while (all.hasNext()) {
      Map.Entry<String, JsonNode> field = all.next();
      String name = field.getKey();
      boolean allowed =
          read.contains(name)
              || harmless.contains(name)
              || field.getValue().isNull()
              || neutral.getOrDefault(name, any -> false).test(field.getValue());
      if (!allowed) {
        throw refuse(name, "is not supported here; leave it out.");
      }
    }
  }

  JsonNode get(String name) {
    JsonNode value = object.get(name);
    return value == null || value.isNull() ? null : value;
  }

  String text(String name, String otherwise) {
    JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isTextual()) {
      throw refuse(name, "must be a string.");
    }
    return value.textValue();
  }

  double number(String name, double otherwise, double least, double most) {
    JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isNumber()) {
      throw refuse(name, "must be a number.");
    }
    double number = value.doubleValue();
    if (!(number >= least && number <= most)) {
      throw refuse(name, "must be a number from %s to %s.".formatted(text(least), text(most)));
    }
    return number;
  }

  private static String text(double bound) {
    return bound == Math.rint(bound) && Math.abs(bound) < 1e9
        ? String.valueOf((long) bound)
        : String.valueOf(bound);
  }

  int integer(String name, int otherwise, int least, int most) {
    JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least
        || value.intValue() > most) {
      throw refuse(name, "must be a whole number from %d to %d.".formatted(least, most));
    }
    return value.intValue();
  }

  OptionalLong seed(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw refuse(name, "must be a whole number of 64 bits.");
    }
    return OptionalLong.of(value.longValue());
  }

  boolean flag(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return false;
    }
    if (!value.isBoolean()) {
      throw refuse(name, "must be true or false.");
    }
    return value.booleanValue();
  }

  RefusedField refuse(String name, String why) {
    String full = path.isEmpty() ? name : path + "." + name;
    return new RefusedField(full, "\"" + full + "\" " + why);
  }
}
