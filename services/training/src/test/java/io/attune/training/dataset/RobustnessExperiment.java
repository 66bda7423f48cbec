package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.LoadOptions;
import io.attune.engine.RewardModel;
import io.attune.engine.TextEncoder;
import io.attune.engine.TrainingRun;
import io.attune.training.v1.RatingSettings;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.TrainingSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * What bad raters cost a reward model, on ratings of real people: docs/results.md. No test runs it.
 *
 * <pre>
 * RobustnessExperiment human-ratings.jsonl MODEL OUT ridge|train SEED TEXTS RATERS PER_TEXT [CROWD,...]
 * </pre>
 *
 * <p>Of every text the crowd's ratings are drawn from those that people gave it. {@code train}
 * fine-tunes the encoder in MODEL on the rows that a reward job would have; {@code ridge} fits a
 * regression on its sentence embeddings. Printed is how often the model orders two held-out texts
 * as the mean of all people does.
 */
final class RobustnessExperiment {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_LENGTH = 48;

  private final Path model;
  private final Path out;
  private final long seed;
  private final List<Crowd.Text> heldOut = new ArrayList<>();
  private final List<Crowd.Text> rest = new ArrayList<>();
  private final Map<String, double[]> embeddings = new HashMap<>();

  private RobustnessExperiment(Path ratings, Path model, Path out, long seed, int texts)
      throws IOException {
    this.model = model;
    this.out = out;
    this.seed = seed;
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(ratings)) {
      lines.add(JSON.readTree(line));
    }
    lines.sort(Comparator.comparing(line -> digest(line.get("id").asText())));
    int fifth = lines.size() / 5;
    for (int i = 0; i < fifth + texts; i++) {
      List<Double> said = new ArrayList<>();
      lines.get(i).get("ratings").forEach(rating -> said.add((rating.asDouble() + 4) / 8));
      (i < fifth ? heldOut : rest).add(new Crowd.Text("", lines.get(i).get("text").asText(), said));
    }
  }

  private static String digest(String id) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(id.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  public static void main(String[] args) throws IOException {
    RobustnessExperiment experiment =
        new RobustnessExperiment(
            Path.of(args[0]),
            Path.of(args[1]),
            Path.of(args[2]),
            Long.parseLong(args[4]),
            Integer.parseInt(args[5]));
    int raters = Integer.parseInt(args[6]);
    int perText = Integer.parseInt(args[7]);
    Map<String, Crowd> crowds =
        Map.of(
            "clean", new Crowd(raters, perText, 0, Crowd.Flood.NONE),
            "flipped-flood", new Crowd(raters, perText, 0.05, Crowd.Flood.FLIPPED),
            "random-flood", new Crowd(raters, perText, 0.05, Crowd.Flood.RANDOM));
    String only = args.length > 8 ? args[8] : "clean,flipped-flood,random-flood";
    for (String crowd : only.split(",")) {
      for (boolean protection : List.of(true, false)) {
        List<Row> rows = experiment.rows(crowds.get(crowd), protection);
        double accuracy =
            args[3].equals("train")
                ? experiment.train(rows, crowd + "-" + protection)
                : experiment.ridge(rows);
        System.out.printf(
            "%s seed %s, %d texts, %d raters, %d a text: %s, protection %s: %d rows, accuracy %.4f%n",
            args[3],
            args[4],
            experiment.rest.size(),
            raters,
            perText,
            crowd,
            protection ? "on" : "off",
            rows.size(),
            accuracy);
      }
    }
  }

  private List<Row> rows(Crowd crowd, boolean protection) {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setReward(RewardObjective.getDefaultInstance())
            .setRatings(RatingSettings.newBuilder().setProtection(protection))
            .build();
    return RowSet.derive(spec, crowd.rate(rest, seed), new RowSet.Limits(0, 0, 0)).training();
  }

  /** An encoder learns the rows as in a reward job. */
  private double train(List<Row> rows, String name) throws IOException {
    Files.createDirectories(out);
    Path file = out.resolve(name + "-" + seed + ".jsonl");
    Files.write(file, rows.stream().map(row -> row.toJson().toString()).toList());
    Path trained = out.resolve(name + "-" + seed);
    TrainingRun.run(
        new io.attune.engine.TrainingSpec(
            model,
            file,
            trained,
            "reward",
            "full",
            null,
            null,
            null,
            Map.ofEntries(
                Map.entry("classifier_pooling", "mean"),
                Map.entry("seed", Long.toString(seed)),
                Map.entry("max_length", Integer.toString(MAX_LENGTH)),
                Map.entry("per_device_train_batch_size", "16"),
                Map.entry("num_train_epochs", "1"),
                Map.entry("learning_rate", "2e-4"),
                Map.entry("warmup_steps", "10"),
                Map.entry("weight_decay", "0.01"),
                Map.entry("save_steps", "0"),
                Map.entry("threads", "1"))),
        (step, total, metrics) -> {},
        () -> false);
    try (RewardModel scoring = RewardModel.load(trained, LoadOptions.defaults().withThreads(1))) {
      return accuracy(
          scoring.scoreAnswers(
              heldOut.stream().map(text -> RewardModel.Answer.of(text.text())).toList()));
    }
  }

  private double ridge(List<Row> rows) throws IOException {
    if (embeddings.isEmpty()) {
      embed();
    }
    List<double[]> features = new ArrayList<>();
    double[] targets = new double[rows.size()];
    double[] weights = new double[rows.size()];
    for (int i = 0; i < rows.size(); i++) {
      Row.Scored row = (Row.Scored) rows.get(i);
      features.add(embeddings.get(row.completion()));
      targets[i] = row.score();
      weights[i] = row.weight();
    }
    Ridge fitted = Ridge.fit(features, targets, weights, 1);
    return accuracy(
        heldOut.stream().mapToDouble(t -> fitted.predict(embeddings.get(t.text()))).toArray());
  }

  private double accuracy(double[] predicted) {
    return Ridge.accuracy(heldOut.stream().mapToDouble(Crowd.Text::mean).toArray(), predicted);
  }

  /** Embeds all texts once; the file in OUT saves doing it again. */
  private void embed() throws IOException {
    Path cache = out.resolve("embeddings.jsonl");
    Files.createDirectories(out);
    if (Files.exists(cache)) {
      for (String line : Files.readAllLines(cache)) {
        JsonNode node = JSON.readTree(line);
        embeddings.put(
            node.get("text").asText(), JSON.convertValue(node.get("values"), double[].class));
      }
    }
    List<String> texts = new ArrayList<>();
    heldOut.forEach(text -> texts.add(text.text()));
    rest.forEach(text -> texts.add(text.text()));
    texts.removeIf(embeddings::containsKey);
    if (texts.isEmpty()) {
      return;
    }
    try (TextEncoder encoder = TextEncoder.load(model, LoadOptions.defaults().withThreads(1))) {
      List<float[]> vectors = encoder.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        double[] values = new double[vectors.get(i).length];
        for (int j = 0; j < values.length; j++) {
          values[j] = vectors.get(i)[j];
        }
        embeddings.put(texts.get(i), values);
      }
    }
    List<String> lines = new ArrayList<>();
    for (Map.Entry<String, double[]> entry : embeddings.entrySet()) {
      ObjectNode node = JSON.createObjectNode().put("text", entry.getKey());
      node.set("values", JSON.valueToTree(entry.getValue()));
      lines.add(node.toString());
    }
    Files.write(cache, lines);
  }
}
