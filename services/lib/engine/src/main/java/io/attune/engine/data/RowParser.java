package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.token.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One JSON object to one {@link Row}. The keys decide which shape it is; a key that no shape has is
 * an error, never dropped.
 */
final class RowParser {
  private static final List<Set<String>> SHAPES =
      List.of(
          Set.of("text"),
          Set.of("prompt", "completion"),
          Set.of("messages"),
          Set.of("instruction", "output"),
          Set.of("instruction", "input", "output"),
          Set.of("conversations"),
          Set.of("prompt", "chosen", "rejected"),
          Set.of("prompt", "completion", "label"),
          Set.of("text", "label"),
          Set.of("text", "text_pair", "label"),
          Set.of("tokens", "labels"),
          Set.of("prompt", "completion", "score"));

  private static final Map<String, String> SHARE_GPT_ROLES =
      Map.of(
          "human",
          "user",
          "user",
          "user",
          "gpt",
          "assistant",
          "chatgpt",
          "assistant",
          "assistant",
          "assistant",
          "system",
          "system");

  private final JsonNode row;
  private final String where;

  /**
   * @param where names file and line in messages
   */
  RowParser(JsonNode row, String where) {
    this.row = row;
    this.where = where;
  }

  Row parse() {
    if (!row.isObject()) {
      throw refused("is not a JSON object");
    }
    Set<String> keys = new TreeSet<>();
    row.fieldNames().forEachRemaining(keys::add);
    checkKeys(keys);
    if (keys.contains("messages")) {
      return new Row.Conversation(messages("messages", "role", "content"));
    }
    if (keys.contains("conversations")) {
      return new Row.Conversation(messages("conversations", "from", "value"));
    }
    if (keys.contains("instruction")) {
      String input = keys.contains("input") ? text("input") : "";
      return new Row.Instruction(text("instruction"), input, text("output"));
    }
    if (keys.contains("text")) {
      return keys.contains("label")
          ? new Row.Classified(
              text("text"),
              keys.contains("text_pair") ? text("text_pair") : null,
              label("label", row.get("label")))
          : new Row.PlainText(text("text"));
    }
    if (keys.contains("tokens")) {
      return tagged();
    }
    if (keys.contains("chosen")) {
      return new Row.Preference(content("prompt"), content("chosen"), content("rejected"));
    }
    Content prompt = content("prompt");
    Content completion = content("completion");
    if (prompt.getClass() != completion.getClass()) {
      throw refused("has one of 'prompt' and 'completion' as text and the other as messages");
    }
    if (keys.contains("label")) {
      return new Row.Judged(prompt, completion, desirable());
    }
    return keys.contains("score")
        ? new Row.Scored(prompt, completion, score())
        : new Row.Completion(prompt, completion);
  }

  private void checkKeys(Set<String> keys) {
    if (SHAPES.contains(keys)) {
      return;
    }
    for (String key : keys) {
      if (SHAPES.stream().noneMatch(shape -> shape.contains(key))) {
        throw refused("has unknown key '" + key + "'; rows are one of " + shapes());
      }
    }
    throw refused("has the keys " + keys + ", which are no known row; rows are one of " + shapes());
  }

  private static String shapes() {
    List<String> names = new ArrayList<>();
    SHAPES.forEach(shape -> names.add("{" + String.join(", ", new TreeSet<>(shape)) + "}"));
    return String.join(", ", names);
  }

  private String text(String key) {
    JsonNode value = row.get(key);
    if (!value.isTextual()) {
      throw refused("has " + kind(value) + " as '" + key + "'; text belongs there");
    }
    return value.textValue();
  }

  private Content content(String key) {
    JsonNode value = row.get(key);
    return value.isArray()
        ? new Content.Messages(messages(key, "role", "content"))
        : new Content.Text(text(key));
  }

  private List<ChatMessage> messages(String key, String roleKey, String contentKey) {
    JsonNode list = row.get(key);
    if (!list.isArray() || list.isEmpty()) {
      throw refused("has no list of messages as '" + key + "'");
    }
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonNode message : list) {
      Set<String> keys = new TreeSet<>();
      message.fieldNames().forEachRemaining(keys::add);
      if (!keys.equals(Set.of(roleKey, contentKey))
          || !message.get(roleKey).isTextual()
          || !message.get(contentKey).isTextual()) {
        throw refused(
            String.format(
                "has a message in '%s' that is not {\"%s\": text, \"%s\": text}",
                key, roleKey, contentKey));
      }
      messages.add(
          new ChatMessage(
              role(key, message.get(roleKey).textValue()), message.get(contentKey).textValue()));
    }
    return messages;
  }

  private String role(String key, String role) {
    if (!key.equals("conversations")) {
      return role;
    }
    String known = SHARE_GPT_ROLES.get(role);
    if (known == null) {
      throw refused("has 'from' = '" + role + "' in 'conversations'; use human, gpt or system");
    }
    return known;
  }

  private boolean desirable() {
    JsonNode label = row.get("label");
    if (label.isBoolean()) {
      return label.booleanValue();
    }
    if (label.isInt() && (label.intValue() == 0 || label.intValue() == 1)) {
      return label.intValue() == 1;
    }
    throw refused("has " + label + " as 'label'; true or false belongs there");
  }

  private Row tagged() {
    List<String> tokens = new ArrayList<>();
    for (JsonNode token : list("tokens")) {
      if (!token.isTextual()) {
        throw refused("has " + kind(token) + " in 'tokens'; text belongs there");
      }
      tokens.add(token.textValue());
    }
    List<Label> labels = new ArrayList<>();
    for (JsonNode label : list("labels")) {
      labels.add(label("labels", label));
    }
    if (tokens.size() != labels.size()) {
      throw refused("has " + tokens.size() + " 'tokens', but " + labels.size() + " 'labels'");
    }
    return new Row.Tagged(List.copyOf(tokens), List.copyOf(labels));
  }

  private JsonNode list(String key) {
    JsonNode list = row.get(key);
    if (!list.isArray() || list.isEmpty()) {
      throw refused(
          "has " + kind(list) + " as '" + key + "'; a list that is not empty belongs there");
    }
    return list;
  }

  /** A name, a number, or a list of these. */
  private Label label(String key, JsonNode label) {
    if (label.isTextual()) {
      return new Label.Name(label.textValue());
    }
    if (label.isNumber() && Double.isFinite(label.doubleValue())) {
      return new Label.Number(label.doubleValue(), label.isIntegralNumber());
    }
    if (label.isArray()) {
      List<Label> each = new ArrayList<>();
      for (JsonNode one : label) {
        if (one.isArray()) {
          throw refused("has lists within the list '" + key + "'");
        }
        each.add(label(key, one));
      }
      return new Label.Several(each);
    }
    throw refused(
        "has "
            + label
            + " in '"
            + key
            + "'; a class's name or number, or a list of them, belongs"
            + " there");
  }

  private double score() {
    JsonNode score = row.get("score");
    if (!score.isNumber() || !Double.isFinite(score.doubleValue())) {
      throw refused("has " + score + " as 'score'; a number belongs there");
    }
    return score.doubleValue();
  }

  private static String kind(JsonNode value) {
    return value.isNull()
        ? "null"
        : "a " + value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
  }

  private EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, where + " " + what);
  }
}
