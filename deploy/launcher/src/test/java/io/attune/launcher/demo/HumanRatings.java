package io.attune.launcher.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Texts that people rated, as single ratings: Hutto and Gilbert, VADER (ICWSM 2014).
 *
 * @param heldOut the fifth whose SHA-256 of the id begins lowest, as make_scores.py has it
 * @param rest the others, in the order of make_scores.py
 */
record HumanRatings(List<Text> heldOut, List<Text> rest) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How many people there are; of one text none says two things. */
  private static final int RATERS = 500;

  /**
   * A text.
   *
   * @param set where it comes from: tweets or movies
   * @param said what people said of it, scaled to 0 to 1
   */
  record Text(String id, String set, String text, List<Double> said) {
    double mean() {
      return said.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }
  }

  /** What one person says of one text. */
  record Single(String id, String text, String rater, double score) {}

  /** Reads lines of {@code {"id", "set", "text", "ratings"}}, ratings from -4 to 4. */
  static HumanRatings read(Path file) throws IOException {
    List<Text> texts = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode json = JSON.readTree(line);
      List<Double> said = new ArrayList<>();
      json.get("ratings").forEach(rating -> said.add((rating.asDouble() + 4) / 8));
      texts.add(
          new Text(
              json.get("id").asText(), json.get("set").asText(), json.get("text").asText(), said));
    }
    texts.sort(Comparator.comparing(text -> digest(text.id(), false)));
    int fifth = texts.size() / 5;
    List<Text> rest = new ArrayList<>(texts.subList(fifth, texts.size()));
    rest.sort(Comparator.comparing(text -> digest(text.id(), true)));
    return new HumanRatings(List.copyOf(texts.subList(0, fifth)), List.copyOf(rest));
  }

  private static String digest(String id, boolean fromBehind) {
    byte[] hash;
    try {
      hash = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    if (fromBehind) {
      for (int i = 0; i < hash.length / 2; i++) {
        byte kept = hash[i];
        hash[i] = hash[hash.length - 1 - i];
        hash[hash.length - 1 - i] = kept;
      }
    }
    return HexFormat.of().formatHex(hash);
  }

  /**
   * All single ratings of the first texts to learn from, in an order that follows from the seed.
   * The data do not say who rated what: each rating of a text is of another person, drawn from all.
   */
  List<Single> singles(int texts, long seed) {
    Random random = new Random(seed);
    List<Integer> people = new ArrayList<>(IntStream.range(0, RATERS).boxed().toList());
    List<Single> ratings = new ArrayList<>();
    for (Text text : rest.subList(0, Math.min(texts, rest.size()))) {
      Collections.shuffle(people, random);
      for (int i = 0; i < text.said().size(); i++) {
        ratings.add(
            new Single(
                "human-ratings/" + text.id() + "/" + i,
                text.text(),
                "rater-" + people.get(i),
                text.said().get(i)));
      }
    }
    Collections.shuffle(ratings, random);
    return ratings;
  }
}
