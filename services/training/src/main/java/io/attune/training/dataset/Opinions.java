package io.attune.training.dataset;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What raters said, as numbers: a rater's word on a thing is one opinion, however often he gave it.
 * Things are answers, which get scores, and pairs of answers, which get votes. Everything is
 * sorted, so that sums do not depend on the order of the ratings.
 */
final class Opinions {
  private final List<String> voices;
  private final int[] voice;
  private final int[] thing;
  private final double[] value;
  private final int scores;
  private final int things;

  private Opinions(List<String> voices, List<Entry> scored, List<Entry> voted, int things) {
    this.voices = voices;
    this.scores = scored.size();
    this.things = things;
    List<Entry> all = new ArrayList<>(scored);
    all.addAll(voted);
    voice = all.stream().mapToInt(Entry::voice).toArray();
    thing = all.stream().mapToInt(Entry::thing).toArray();
    value = all.stream().mapToDouble(Entry::value).toArray();
  }

  private record Entry(int voice, int thing, double value) {}

  static Opinions of(List<PromptRatings> prompts) {
    TreeSet<String> names = new TreeSet<>();
    for (PromptRatings prompt : prompts) {
      prompt.answers().forEach(answer -> names.addAll(answer.scores().keySet()));
      prompt.ballots().forEach(ballot -> names.addAll(ballot.votes().keySet()));
    }
    List<String> voices = List.copyOf(names);
    Map<String, Integer> numbers = new LinkedHashMap<>();
    voices.forEach(name -> numbers.put(name, numbers.size()));
    List<Entry> scored = new ArrayList<>();
    List<Entry> voted = new ArrayList<>();
    int things = 0;
    for (PromptRatings prompt : sorted(prompts)) {
      for (PromptRatings.Answer answer : prompt.answers()) {
        int number = things++;
        answer
            .scores()
            .forEach((name, score) -> scored.add(new Entry(numbers.get(name), number, score)));
      }
      for (PromptRatings.Ballot ballot : prompt.ballots()) {
        int number = things++;
        ballot
            .votes()
            .forEach((name, vote) -> voted.add(new Entry(numbers.get(name), number, vote)));
      }
    }
    return new Opinions(voices, scored, voted, things);
  }

  private static List<PromptRatings> sorted(List<PromptRatings> prompts) {
    return prompts.stream()
        .sorted(Comparator.comparing(prompt -> prompt.prompt().toString()))
        .toList();
  }

  /** Everybody who said something, sorted. */
  List<String> voices() {
    return voices;
  }

  /** Answers and pairs. */
  int things() {
    return things;
  }

  /** Scores come first, votes after them. */
  int count() {
    return value.length;
  }

  int scores() {
    return scores;
  }

  /** Whose opinion it is: a place in {@link #voices}. */
  int voice(int opinion) {
    return voice[opinion];
  }

  /** What it is about: below {@link #things}. */
  int thing(int opinion) {
    return thing[opinion];
  }

  /** A score from 0 to 1, or a vote from -1 (the second answer) to 1 (the first). */
  double value(int opinion) {
    return value[opinion];
  }
}
