package io.attune.launcher.quickstart;

import static io.attune.launcher.quickstart.ShopGrammar.pick;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Draws questions and replies from the shop's grammar.
 *
 * <p>Replies differ in quality on purpose. Each has a hidden quality q, uniform in [0, 1]; what
 * makes a reply good (a greeting, an apology where one is due, a next step with its time, a polite
 * ending) appears the more often the higher q is, and what makes it bad (blame, a vague or curt
 * core) the lower it is. A model of these replies therefore writes both kinds, and ratings have
 * something to teach it.
 */
public final class ShopDialogues {
  private final ShopGrammar grammar = ShopGrammar.load();
  private final Random random;

  /** Two instances with equal seeds draw the same dialogues. */
  public ShopDialogues(long seed) {
    random = new Random(seed);
  }

  /** Draws a question. */
  public Question question() {
    ShopGrammar.Topic topic = grammar.topics().get(random.nextInt(grammar.topics().size()));
    return question(topic);
  }

  /**
   * Draws questions that all differ, from one another and from the given ones.
   *
   * @param count how many
   * @param not texts that must not be drawn
   */
  public List<Question> distinctQuestions(int count, Set<String> not) {
    Set<String> seen = new LinkedHashSet<>(not);
    List<Question> questions = new ArrayList<>();
    while (questions.size() < count) {
      Question question = question();
      if (seen.add(question.text())) {
        questions.add(question);
      }
    }
    return questions;
  }

  /** Draws a question and a reply to it. */
  public Dialogue dialogue() {
    ShopGrammar.Topic topic = grammar.topics().get(random.nextInt(grammar.topics().size()));
    Question question = question(topic);
    return new Dialogue(question, reply(topic, question.thing()));
  }

  private Question question(ShopGrammar.Topic topic) {
    String thing = pick(topic.things(), random);
    String text =
        pick(grammar.openers(), random)
            + grammar.fill(pick(topic.questions(), random), Map.of("thing", thing), random)
            + pick(grammar.closers(), random);
    return new Question(topic.id(), thing, topic.problem(), text);
  }

  private String reply(ShopGrammar.Topic topic, String thing) {
    double quality = random.nextDouble();
    List<String> parts = new ArrayList<>();
    if (chance(0.10 + 0.65 * quality)) {
      parts.add(phrase("greetings", thing));
    }
    if (topic.problem() && chance(0.05 + 0.80 * quality)) {
      parts.add(phrase("apologies", thing));
    }
    if (!topic.problem() && chance(0.05 + 0.55 * quality)) {
      parts.add(phrase("acknowledgements", thing));
    }
    if (chance(0.10 + 0.75 * quality)) {
      parts.add(grammar.fill(pick(topic.steps(), random), Map.of("thing", thing), random));
    } else {
      parts.add(phrase(chance(0.5) ? "vague" : "curt", thing));
    }
    if (chance(0.45 * (1 - quality))) {
      parts.add(phrase("blame", thing));
    }
    if (chance(0.05 + 0.75 * quality)) {
      parts.add(phrase("endings", thing));
    }
    return String.join(" ", parts);
  }

  private String phrase(String kind, String thing) {
    return grammar.fill(pick(grammar.replies(kind), random), Map.of("thing", thing), random);
  }

  private boolean chance(double probability) {
    return random.nextDouble() < probability;
  }
}
