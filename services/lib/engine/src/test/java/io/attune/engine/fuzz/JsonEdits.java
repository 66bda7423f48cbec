package io.attune.engine.fuzz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Mutations that keep a JSON text well-formed, or nearly so. */
public final class JsonEdits {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Stands where a text that is no tree is put in: duplicate keys, huge numbers, deep nesting. */
  private static final String MARK = "\"@@raw@@\"";

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "1",
          "-1",
          "2147483647",
          "2147483648",
          "-2147483649",
          "4294967295",
          "4294967298",
          "9223372036854775807",
          "9223372036854775808",
          "99999999999999999999999999",
          "0.5",
          "1e-400",
          "1e400",
          "-1e999999",
          "NaN",
          "Infinity",
          "\"\"",
          "\"a\"",
          "\"..\"",
          "\"/etc/passwd\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"" + "x".repeat(3000) + "\"",
          "\"(a+)+b\"",
          "\"((((((((((\"",
          "[]",
          "{}",
          "[[]]",
          "[1,2]",
          "{\"type\":\"Sequence\"}",
          "9".repeat(2000),
          "[".repeat(200) + "]".repeat(200),
          "{\"a\":".repeat(70) + "1" + "}".repeat(70));

  private JsonEdits() {}

  /** One to three edits; what is no JSON comes back as it is. */
  public static byte[] edit(byte[] json, Random random) {
    try {
      JsonNode root = JSON.readTree(json);
      String raw = VALUES.get(random.nextInt(VALUES.size()));
      if (!(root instanceof ContainerNode<?>)) {
        return raw.getBytes(StandardCharsets.UTF_8);
      }
      int edits = 1 + random.nextInt(1 + random.nextInt(3));
      for (int i = 0; i < edits; i++) {
        editOnce(root, random);
      }
      String text = JSON.writeValueAsString(root).replace(MARK, raw);
      return (random.nextInt(16) == 0 ? doubled(text, random) : text)
          .getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      return json;
    }
  }

  private static void editOnce(JsonNode root, Random random) throws JsonProcessingException {
    List<ContainerNode<?>> containers = new ArrayList<>();
    collect(root, containers);
    ContainerNode<?> container = containers.get(random.nextInt(containers.size()));
    ContainerNode<?> other = containers.get(random.nextInt(containers.size()));
    JsonNode mark = JSON.readTree(MARK);
    if (container instanceof ObjectNode object && !object.isEmpty()) {
      List<String> keys = new ArrayList<>();
      object.fieldNames().forEachRemaining(keys::add);
      String key = keys.get(random.nextInt(keys.size()));
      switch (random.nextInt(7)) {
        case 0 -> object.remove(key);
        case 1 -> object.set(key + "x", object.remove(key));
        case 2 -> object.set(key, other.deepCopy());
        case 3 -> object.set("extra", mark);
        case 4 -> object.set(key, number(object.get(key), random));
        default -> object.set(key, mark);
      }
    } else if (container instanceof ArrayNode array && !array.isEmpty()) {
      int index = random.nextInt(array.size());
      switch (random.nextInt(6)) {
        case 0 -> array.remove(index);
        case 1 -> array.insert(index, array.get(index).deepCopy());
        case 2 -> array.set(index, other.deepCopy());
        case 3 -> array.set(index, number(array.get(index), random));
        default -> array.set(index, mark);
      }
    } else if (container instanceof ArrayNode array) {
      array.add(mark);
    } else if (container instanceof ObjectNode object) {
      object.set("a", mark);
    }
  }

  /** A number or flag near what was there, or what was there. */
  private static JsonNode number(JsonNode value, Random random) {
    if (value.isBoolean()) {
      return BooleanNode.valueOf(!value.booleanValue());
    }
    return value.isIntegralNumber()
        ? LongNode.valueOf(value.longValue() + random.nextInt(5) - 2)
        : value;
  }

  private static void collect(JsonNode node, List<ContainerNode<?>> into) {
    if (node instanceof ContainerNode<?> container) {
      into.add(container);
      node.forEach(child -> collect(child, into));
    }
  }

  /** Writes one of the outermost members a second time. */
  private static String doubled(String text, Random random) throws JsonProcessingException {
    JsonNode root;
    try {
      root = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return text;
    }
    if (!root.isObject() || root.isEmpty()) {
      return text;
    }
    List<Map.Entry<String, JsonNode>> members = List.copyOf(root.properties());
    Map.Entry<String, JsonNode> member = members.get(random.nextInt(members.size()));
    return "{"
        + JSON.writeValueAsString(member.getKey())
        + ":"
        + member.getValue()
        + ","
        + text.substring(1);
  }
}
