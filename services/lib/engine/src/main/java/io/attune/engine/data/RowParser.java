package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.token.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One JSON object to one {@link Row}. The keys decide which shape it is; a key that no shape has is
 * an error, never dropped.
 */
final class RowParser {
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
    for (String key : List.of("messages", "conversations")) {
      if (keys.contains(key)) {
        return conversation(key, keys);
      }
    }
    if (keys.contains("instruction")) {
      String input = given("input") ? text("input") : "";
      return new Row.Instruction(text("instruction"), input, text("output"), before());
    }
    if (keys.contains("text")) {
      if (keys.contains("score")) {
        return new Row.RatedText(text("text"), score());
      }
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
      return keys.contains("prompt")
          ? preference(content("prompt"), content("chosen"), content("rejected"))
          : withCommonPrompt(turns("chosen"), turns("rejected"));
    }
    Content prompt = content("prompt");
    if (!keys.contains("completion")) {
      return new Row.Prompt(prompt, Map.of());
    }
    Content completion = content("completion");
    checkAlike(prompt, completion, "prompt", "completion");
    if (keys.contains("label")) {
      return new Row.Judged(prompt, completion, desirable());
    }
    return keys.contains("score")
        ? new Row.Scored(prompt, completion, score())
        : new Row.Completion(prompt, completion);
  }

  /**
   * What a policy is to answer, whatever else the row has: its prompt, or the turns before the
   * assistant's last.
   */
  Content prompt() {
    if (row.has("prompt")) {
      return content("prompt");
    }
    for (String key : List.of("messages", "conversations")) {
      if (row.has(key)) {
        List<ChatMessage> turns = new ArrayList<>(system());
        turns.addAll(turns(key));
        if (turns.get(turns.size() - 1).role().equals("assistant")) {
          turns.remove(turns.size() - 1);
        }
        if (turns.isEmpty()) {
          throw refused("has in '" + key + "' nothing to answer");
        }
        return new Content.Messages(turns);
      }
    }
    throw refused(
        "has no prompt: 'prompt', 'messages' or 'conversations'; name the key that holds it with"
            + " the setting 'columns', or write it with 'prompt_template'");
  }

  private void checkKeys(Set<String> keys) {
    if (Shape.ALL.stream().anyMatch(shape -> shape.fits(keys))) {
      return;
    }
    for (String key : keys) {
      if (Shape.ALL.stream().noneMatch(shape -> shape.knows(key))) {
        throw refused(
            "has unknown key '"
                + key
                + "'; rows are one of "
                + shapes()
                + ", or name with the"
                + " setting 'columns' those keys that count");
      }
    }
    throw refused("has the keys " + keys + ", which are no known row; rows are one of " + shapes());
  }

  private static String shapes() {
    return Shape.ALL.stream().map(Shape::toString).collect(Collectors.joining(", "));
  }

  private Row conversation(String key, Set<String> keys) {
    List<ChatMessage> messages = new ArrayList<>(system());
    messages.addAll(turns(key));
    if (keys.contains("chosen")) {
      return preference(new Content.Messages(messages), answer("chosen"), answer("rejected"));
    }
    if (!keys.contains("label")) {
      return new Row.Conversation(messages, tools());
    }
    int last = messages.size() - 1;
    if (last < 1 || !messages.get(last).role().equals("assistant")) {
      throw refused("has a 'label', but '" + key + "' does not end in an answer to judge");
    }
    return new Row.Judged(
        new Content.Messages(messages.subList(0, last)),
        new Content.Messages(messages.subList(last, last + 1)),
        desirable());
  }

  private Row preference(Content prompt, Content chosen, Content rejected) {
    checkAlike(prompt, chosen, "prompt", "chosen");
    checkAlike(prompt, rejected, "prompt", "rejected");
    return new Row.Preference(prompt, chosen, rejected, margin());
  }

  /** Two whole conversations: what both begin with is the prompt. */
  private Row withCommonPrompt(List<ChatMessage> chosen, List<ChatMessage> rejected) {
    int common = 0;
    while (common < Math.min(chosen.size(), rejected.size())
        && chosen.get(common).equals(rejected.get(common))) {
      common++;
    }
    if (common == 0 || common == chosen.size() || common == rejected.size()) {
      throw refused("has 'chosen' and 'rejected' that are not two ways to go on from one prompt");
    }
    return new Row.Preference(
        new Content.Messages(chosen.subList(0, common)),
        new Content.Messages(chosen.subList(common, chosen.size())),
        new Content.Messages(rejected.subList(common, rejected.size())),
        margin());
  }

  private void checkAlike(Content a, Content b, String nameA, String nameB) {
    if (a.getClass() != b.getClass()) {
      throw refused(
          "has one of '" + nameA + "' and '" + nameB + "' as text and the other as messages");
    }
  }

  /** Whether an optional key says something. */
  private boolean given(String key) {
    JsonNode value = row.path(key);
    return !value.isMissingNode()
        && !value.isNull()
        && !(value.isTextual() && value.asText().isEmpty());
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
    return value.isArray() || value.isObject()
        ? new Content.Messages(turns(key))
        : new Content.Text(text(key));
  }

  /** What the assistant may say next: text, or turns. */
  private Content answer(String key) {
    return row.get(key).isTextual()
        ? new Content.Messages(List.of(new ChatMessage("assistant", text(key))))
        : new Content.Messages(turns(key));
  }

  private List<ChatMessage> turns(String key) {
    return new TurnParser(where + ": '" + key + "'").turns(row.get(key));
  }

  private List<ChatMessage> system() {
    return given("system") ? List.of(new ChatMessage("system", text("system"))) : List.of();
  }

  /** What comes before an instruction: the system's turn, and pairs of question and answer. */
  private List<ChatMessage> before() {
    List<ChatMessage> turns = new ArrayList<>(system());
    if (!given("history")) {
      return turns;
    }
    for (JsonNode pair : list(row.get("history"), "history")) {
      if (pair.size() != 2 || !pair.path(0).isTextual() || !pair.path(1).isTextual()) {
        throw refused("has a 'history' that is not [[question, answer], ...]");
      }
      turns.add(new ChatMessage("user", pair.get(0).textValue()));
      turns.add(new ChatMessage("assistant", pair.get(1).textValue()));
    }
    return turns;
  }

  /** A list of JSON schemas, perhaps as JSON text. */
  @SuppressWarnings("unchecked") // of an object: its keys are text
  private List<Map<String, Object>> tools() {
    if (!given("tools")) {
      return List.of();
    }
    JsonNode value = row.get("tools");
    if (value.isTextual()) {
      value = JsonFiles.parse(value.textValue(), where + ": 'tools'");
    }
    List<Map<String, Object>> tools = new ArrayList<>();
    for (JsonNode tool : list(value, "tools")) {
      if (!tool.isObject()) {
        throw refused("has 'tools' that are no list of JSON schemas");
      }
      tools.add((Map<String, Object>) JsonFiles.plain(tool));
    }
    return tools;
  }

  private JsonNode list(JsonNode value, String key) {
    if (!value.isArray()) {
      throw refused("has " + kind(value) + " as '" + key + "'; a list belongs there");
    }
    return value;
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
    for (JsonNode token : filled("tokens")) {
      if (!token.isTextual()) {
        throw refused("has " + kind(token) + " in 'tokens'; text belongs there");
      }
      tokens.add(token.textValue());
    }
    List<Label> labels = new ArrayList<>();
    for (JsonNode label : filled("labels")) {
      labels.add(label("labels", label));
    }
    if (tokens.size() != labels.size()) {
      throw refused("has " + tokens.size() + " 'tokens', but " + labels.size() + " 'labels'");
    }
    return new Row.Tagged(List.copyOf(tokens), List.copyOf(labels));
  }

  private JsonNode filled(String key) {
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
    return number("score");
  }

  private double margin() {
    return row.has("margin") ? number("margin") : 0;
  }

  /** How much the row counts; 1 where it does not say. */
  double weight() {
    if (!row.has(Shape.WEIGHT)) {
      return 1;
    }
    double weight = number(Shape.WEIGHT);
    if (weight <= 0) {
      throw refused("has " + weight + " as 'weight'; a number above 0 belongs there");
    }
    return weight;
  }

  private double number(String key) {
    JsonNode value = row.get(key);
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw refused("has " + value + " as '" + key + "'; a number belongs there");
    }
    return value.doubleValue();
  }

  private static String kind(JsonNode value) {
    return value.isNull() ? "null" : "a " + value.getNodeType().name().toLowerCase(Locale.ROOT);
  }

  private EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, where + " " + what);
  }
}
