package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code adapter_config.json} with PEFT's names and defaults. Keys that nobody asks for survive.
 *
 * @param where its path, for messages
 */
record AdapterConfig(ObjectNode json, String where) {

  long whole(String key, long absent) {
    JsonNode value = json.path(key);
    if (isEmpty(value)) {
      return absent;
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw invalid(key, "is " + value + ", not an integer");
    }
    return value.longValue();
  }

  /** An integer of at least 1, and of a size that memory can hold. */
  int size(String key, int absent) {
    long value = whole(key, absent);
    if (value < 1 || value > 1 << 20) {
      throw invalid(key, "is " + value + "; it must be from 1 to " + (1 << 20));
    }
    return (int) value;
  }

  double number(String key, double absent) {
    JsonNode value = json.path(key);
    if (isEmpty(value)) {
      return absent;
    }
    if (!value.isNumber()) {
      throw invalid(key, "is " + value + ", not a number");
    }
    return value.doubleValue();
  }

  /** A probability of dropout. */
  double dropout(String key) {
    double value = number(key, 0);
    if (!(value >= 0 && value < 1)) {
      throw invalid(key, "is " + value + "; it must be in [0, 1)");
    }
    return value;
  }

  boolean flag(String key, boolean absent) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw invalid(key, "is " + value + ", not true or false");
    }
    return value.booleanValue();
  }

  String text(String key, String absent) {
    JsonNode value = json.path(key);
    return value.isTextual() ? value.textValue() : absent;
  }

  /** One of several words. */
  String choice(String key, String absent, List<String> choices) {
    String value = text(key, absent);
    if (!choices.contains(value)) {
      throw unsupported(key, "implemented are " + String.join(", ", choices));
    }
    return value;
  }

  /** A list of names, or one name; empty where there is none. */
  List<String> names(String key) {
    JsonNode value = json.path(key);
    List<String> result = new ArrayList<>();
    if (isEmpty(value)) {
      return result;
    }
    for (JsonNode name : value.isTextual() ? List.of(value) : value) {
      if (!name.isTextual() || !(value.isArray() || value.isTextual())) {
        throw invalid(key, "is " + value + ", not a list of names");
      }
      if (!result.contains(name.textValue())) {
        result.add(name.textValue());
      }
    }
    return result;
  }

  /** Numbers by pattern, in the order of the file. */
  Map<String, Double> numbers(String key) {
    Map<String, Double> result = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.path(key).properties()) {
      if (!entry.getValue().isNumber()) {
        throw invalid(key, "has " + entry.getValue() + " for '" + entry.getKey() + "'");
      }
      result.put(entry.getKey(), entry.getValue().doubleValue());
    }
    return result;
  }

  /** Refuses, by name, settings that change numbers and are not implemented; empty ones may be. */
  void refuse(List<String> keys) {
    for (String key : keys) {
      if (!isEmpty(json.path(key))) {
        throw unsupported(key, "this setting is not implemented");
      }
    }
  }

  EngineException unsupported(String key, String why) {
    return new EngineException(
        Reason.UNSUPPORTED, where + ": '" + key + "' is " + json.path(key) + "; " + why);
  }

  EngineException invalid(String key, String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, where + ": '" + key + "' " + what);
  }

  EngineException incompatible(String what) {
    return new EngineException(Reason.INCOMPATIBLE, where + ": " + what);
  }

  static boolean isEmpty(JsonNode value) {
    return value.isMissingNode()
        || value.isNull()
        || (value.isBoolean() && !value.booleanValue())
        || (value.isContainerNode() && value.isEmpty());
  }
}
