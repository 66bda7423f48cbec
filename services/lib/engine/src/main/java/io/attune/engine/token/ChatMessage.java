package io.attune.engine.token;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A turn of a conversation.
 *
 * @param role such as {@code system}, {@code user}, {@code assistant} or {@code tool}; the template
 *     decides which it accepts
 * @param fields what else templates read, such as {@code tool_calls}: null, booleans, numbers,
 *     strings, and lists and maps of them
 */
public record ChatMessage(String role, String content, Map<String, Object> fields) {
  public ChatMessage {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  public ChatMessage(String role, String content) {
    this(role, content, Map.of());
  }
}
