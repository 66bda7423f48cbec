package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.token.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Turns of a conversation in OpenAI's form, {@code {role, content}}, or in ShareGPT's, {@code
 * {from, value}}.
 */
final class TurnParser {
  private static final String TOOL_CALLS = "tool_calls";

  /** What a turn may say besides; templates of published models read these. */
  private static final Set<String> MORE =
      Set.of(TOOL_CALLS, "tool_call_id", "name", "reasoning_content");

  private static final Map<String, String> SHARE_GPT_ROLES =
      Map.of(
          "human", "user",
          "user", "user",
          "gpt", "assistant",
          "chatgpt", "assistant",
          "assistant", "assistant",
          "function_call", "assistant",
          "observation", "tool",
          "tool", "tool",
          "system", "system");

  private final String where;

  /**
   * @param where names file, row and key in messages
   */
  TurnParser(String where) {
    this.where = where;
  }

  /** A list of turns, or one turn alone. */
  List<ChatMessage> turns(JsonNode value) {
    if (value.isObject()) {
      return List.of(turn(value, ""));
    }
    if (!value.isArray() || value.isEmpty()) {
      throw refused(" is no list of messages");
    }
    List<ChatMessage> turns = new ArrayList<>();
    for (JsonNode turn : value) {
      turns.add(turn(turn, ", message " + (turns.size() + 1) + ","));
    }
    return turns;
  }

  private ChatMessage turn(JsonNode turn, String which) {
    if (turn.has("from")) {
      return shareGpt(turn, which);
    }
    if (!turn.path("role").isTextual()) {
      throw refused(which + " is not {\"role\": text, \"content\": text}");
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : turn.properties()) {
      String key = field.getKey();
      if (MORE.contains(key)) {
        if (!field.getValue().isNull()) {
          fields.put(
              key,
              key.equals(TOOL_CALLS)
                  ? calls(field.getValue(), which)
                  : JsonFiles.plain(field.getValue()));
        }
      } else if (!key.equals("role") && !key.equals("content")) {
        throw refused(
            which
                + " has unknown key '"
                + key
                + "'; besides role and content there are "
                + new TreeSet<>(MORE));
      }
    }
    return new ChatMessage(
        turn.get("role").textValue(),
        text(turn.path("content"), fields.containsKey(TOOL_CALLS), which),
        fields);
  }

  private ChatMessage shareGpt(JsonNode turn, String which) {
    Set<String> keys = new TreeSet<>();
    turn.fieldNames().forEachRemaining(keys::add);
    if (!keys.equals(Set.of("from", "value")) || !turn.get("from").isTextual()) {
      throw refused(which + " is not {\"from\": text, \"value\": text}");
    }
    String from = turn.get("from").textValue();
    String role = SHARE_GPT_ROLES.get(from);
    if (role == null) {
      throw refused(
          which
              + " has 'from' = '"
              + from
              + "'; use one of "
              + new TreeSet<>(SHARE_GPT_ROLES.keySet()));
    }
    String value = text(turn.get("value"), false, which);
    if (!from.equals("function_call")) {
      return new ChatMessage(role, value);
    }
    JsonNode calls = JsonFiles.parse(value, where + which);
    return new ChatMessage(role, "", Map.of(TOOL_CALLS, calls(calls, which)));
  }

  /** Text, or a list of parts that are text; none where the turn calls a tool instead. */
  private String text(JsonNode content, boolean callsTool, String which) {
    if (content.isTextual()) {
      return content.textValue();
    }
    if (callsTool && (content.isNull() || content.isMissingNode())) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
        throw refused(which + " has a part that is no text");
      }
      text.append(part.get("text").textValue());
    }
    if (!content.isArray() || content.isEmpty()) {
      throw refused(which + " has no text as 'content' or 'value'");
    }
    return text.toString();
  }

  /**
   * Calls as templates read them, {@code [{type, function: {name, arguments}}]}: a single one may
   * come alone, without that wrapping, or with its arguments as JSON text.
   */
  private List<Object> calls(JsonNode value, String which) {
    List<Object> calls = new ArrayList<>();
    for (JsonNode call : value.isArray() ? value : List.of(value)) {
      JsonNode function = call.has("function") ? call.get("function") : call;
      if (!function.path("name").isTextual() || !function.has("arguments")) {
        throw refused(which + " calls a tool without 'name' and 'arguments'");
      }
      JsonNode arguments = function.get("arguments");
      if (arguments.isTextual()) {
        arguments = JsonFiles.parse(arguments.textValue(), where + which);
      }
      ObjectNode whole = JsonFiles.newObject();
      whole.put("type", "function");
      if (call.has("id")) {
        whole.set("id", call.get("id"));
      }
      whole
          .putObject("function")
          .put("name", function.get("name").textValue())
          .set("arguments", arguments);
      calls.add(JsonFiles.plain(whole));
    }
    return calls;
  }

  private EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, where + what);
  }
}
