package io.attune.launcher.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The shop's talk as the file shop.yaml describes it: lists of words, phrases with slots, topics.
 */
final class ShopGrammar {
  private static final Pattern SLOT = Pattern.compile("\\{([a-z]+)}");

  /**
   * What customers ask about.
   *
   * @param id its name
   * @param problem whether something went wrong for the customer
   * @param things the words that may stand for the thing asked about
   * @param questions phrases of customers
   * @param steps phrases of support that name a next step and its time
   */
  record Topic(
      String id,
      boolean problem,
      List<String> things,
      List<String> questions,
      List<String> steps) {}

  private final Map<String, List<String>> lists = new HashMap<>();
  private final Map<String, List<String>> replies = new HashMap<>();
  private final List<Topic> topics = new ArrayList<>();
  private final List<String> openers;
  private final List<String> closers;

  private ShopGrammar(JsonNode root) {
    root.get("lists")
        .properties()
        .forEach(list -> lists.put(list.getKey(), texts(list.getValue())));
    root.get("replies")
        .properties()
        .forEach(list -> replies.put(list.getKey(), texts(list.getValue())));
    openers = texts(root.get("openers"));
    closers = texts(root.get("closers"));
    for (JsonNode topic : root.get("topics")) {
      JsonNode of = topic.get("of");
      topics.add(
          new Topic(
              topic.get("id").asText(),
              topic.get("problem").asBoolean(),
              of.isArray() ? texts(of) : lists.get(of.asText()),
              texts(topic.get("questions")),
              texts(topic.get("steps"))));
    }
  }

  /** Reads the grammar that lies beside this class. */
  static ShopGrammar load() {
    try (InputStream in = ShopGrammar.class.getResourceAsStream("shop.yaml")) {
      return new ShopGrammar(new YAMLMapper().readTree(in));
    } catch (IOException e) {
      throw new UncheckedIOException("shop.yaml cannot be read from the launcher's jar", e);
    }
  }

  List<Topic> topics() {
    return topics;
  }

  List<String> openers() {
    return openers;
  }

  List<String> closers() {
    return closers;
  }

  /** The phrases of a kind of reply, for example "apologies". */
  List<String> replies(String kind) {
    return replies.get(kind);
  }

  /**
   * Fills a phrase's slots.
   *
   * @param fixed what this dialogue has settled already; slots that are not in it are drawn anew
   */
  String fill(String phrase, Map<String, String> fixed, Random random) {
    Matcher slot = SLOT.matcher(phrase);
    StringBuilder filled = new StringBuilder();
    while (slot.find()) {
      String name = slot.group(1);
      String word = fixed.containsKey(name) ? fixed.get(name) : pick(lists.get(name), random);
      slot.appendReplacement(filled, Matcher.quoteReplacement(word));
    }
    return slot.appendTail(filled).toString();
  }

  static String pick(List<String> options, Random random) {
    return options.get(random.nextInt(options.size()));
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asText()));
    return List.copyOf(texts);
  }
}
