package io.attune.training.worker;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.ProgressListener;
import io.attune.engine.RewardModel;
import io.attune.engine.TrainingRun;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.data.Rows;
import io.attune.engine.data.ScoredCompletion;
import io.attune.training.dataset.EvaluationPair.Item;
import io.attune.training.dataset.KtoWeights;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.TrainingSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jboss.logging.Logger;

/** What a worker asks of the engine. */
public final class Learning {
  private static final Logger LOG = Logger.getLogger(Learning.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SCORES_AT_ONCE = 16;
  private static final String ADAPTER_CONFIG = "adapter_config.json";
  private static final String ATTUNE = "attune.json";
  private static final List<String> ADAPTER_FILES =
      List.of(ADAPTER_CONFIG, "adapter_model.safetensors", ATTUNE);
  private static final List<String> MODEL_FILES =
      List.of("config.json", "model.safetensors", ATTUNE, "tokenizer.json");

  /** Not every model has them. */
  private static final List<String> MORE_OF_MODELS =
      List.of("tokenizer_config.json", "special_tokens_map.json");

  private final WorkerOrder order;
  private final TrainingSpec spec;
  private final JobFolder folder;
  private final Consumer<WorkerMessage> messages;
  private final StopSignal stop;

  Learning(
      WorkerOrder order,
      TrainingSpec spec,
      JobFolder folder,
      Consumer<WorkerMessage> messages,
      StopSignal stop) {
    this.order = order;
    this.spec = spec;
    this.folder = folder;
    this.messages = messages;
    this.stop = stop;
  }

  /** Whether a version is an adapter of the base model, and not a model by itself. */
  public static boolean isAdapter(Path version) {
    return Files.exists(version.resolve(ADAPTER_CONFIG));
  }

  /**
   * Trains, from the newest checkpoint if there is one.
   *
   * @param balance what the rows need where they are of good and bad answers
   */
  void train(KtoWeights balance) {
    TrainingRun.run(
        order.encoder() == null ? ofAdapter(balance) : ofEncoder(),
        new Listener(messages),
        stop,
        SpecRules.isOnline(spec) ? new FolderExchange(folder, stop) : null);
  }

  private io.attune.engine.TrainingSpec ofAdapter(KtoWeights balance) {
    return run(
        order.baseModel(),
        "lora",
        order.initAdapter() == null ? null : Path.of(order.initAdapter()),
        EngineParameters.of(spec, order.threads(), balance));
  }

  /** All weights of the encoder, or of the version that was made of it. */
  private io.attune.engine.TrainingSpec ofEncoder() {
    return run(
        order.initAdapter() == null ? order.encoder() : order.initAdapter(),
        "full",
        null,
        EngineParameters.ofEncoder(spec, order.threads()));
  }

  private io.attune.engine.TrainingSpec run(
      String model, String method, Path initAdapter, Map<String, String> parameters) {
    return new io.attune.engine.TrainingSpec(
        Path.of(model),
        folder.rows(),
        folder.run(),
        EngineParameters.objective(spec),
        method,
        initAdapter,
        null,
        null,
        parameters);
  }

  /** Tells the parent of each step. */
  private static final class Listener implements ProgressListener {
    private final Consumer<WorkerMessage> messages;
    private final long began = System.nanoTime();
    private int firstStep;

    private Listener(Consumer<WorkerMessage> messages) {
      this.messages = messages;
    }

    @Override
    public void onStep(int step, int total, Map<String, Double> metrics) {
      if (firstStep == 0) {
        firstStep = step;
      }
      long millisPerStep = (System.nanoTime() - began) / 1_000_000 / (step - firstStep + 1);
      messages.accept(
          new WorkerMessage.Progressed(
              step, total, metrics.getOrDefault("loss", 0.0), millisPerStep * (total - step)));
    }

    @Override
    public void onNotice(String message) {
      LOG.info(message);
    }
  }

  /**
   * Scores answers with a reward model, each tokenized as training tokenizes it.
   *
   * @param version an adapter's folder, or a whole encoder's
   * @return the scores; an answer whose prompt alone fills max_length has none
   */
  Map<Item, Double> scores(Path version, List<Item> items) {
    Path file = folder.root().resolve("exam.jsonl");
    folder.writeLines(file, items.stream().map(Learning::row).toList());
    List<Row> rows = Rows.read(file);
    return isAdapter(version)
        ? adapterScores(version, items, rows)
        : encoderScores(version, items, rows);
  }

  private Map<Item, Double> encoderScores(Path version, List<Item> items, List<Row> rows) {
    Map<Item, Double> scores = new HashMap<>();
    try (RewardModel model =
        RewardModel.load(version, LoadOptions.defaults().withThreads(order.threads()))) {
      for (int from = 0; from < items.size(); from += SCORES_AT_ONCE) {
        stop.check();
        int to = Math.min(from + SCORES_AT_ONCE, items.size());
        double[] values =
            model.scoreAnswers(rows.subList(from, to).stream().map(Learning::answer).toList());
        for (int i = from; i < to; i++) {
          scores.put(items.get(i), values[i - from]);
        }
      }
    }
    return scores;
  }

  private static RewardModel.Answer answer(Row row) {
    Row.Scored scored = (Row.Scored) row;
    return new RewardModel.Answer(scored.prompt(), scored.completion());
  }

  private Map<Item, Double> adapterScores(Path adapter, List<Item> items, List<Row> rows) {
    Map<Item, Double> scores = new HashMap<>();
    try (LanguageModel base =
            LanguageModel.load(
                Path.of(order.baseModel()), LoadOptions.defaults().withThreads(order.threads()));
        RewardModel model = RewardModel.load(base, adapter)) {
      Examples examples =
          new Examples(
              base.tokenizer(),
              base.chatTemplate(),
              base.eosTokenIds(),
              EngineParameters.maxLength(spec));
      for (int from = 0; from < items.size(); from += SCORES_AT_ONCE) {
        stop.check();
        int to = Math.min(from + SCORES_AT_ONCE, items.size());
        score(model, examples, items.subList(from, to), rows.subList(from, to), scores);
      }
    }
    return scores;
  }

  private static void score(
      RewardModel model,
      Examples examples,
      List<Item> items,
      List<Row> rows,
      Map<Item, Double> scores) {
    List<Optional<ScoredCompletion>> tokens = rows.stream().map(examples::scored).toList();
    int[] fitting =
        IntStream.range(0, items.size()).filter(i -> tokens.get(i).isPresent()).toArray();
    if (fitting.length == 0) {
      return;
    }
    List<int[]> sequences =
        IntStream.of(fitting).mapToObj(i -> join(tokens.get(i).orElseThrow())).toList();
    float[] values = model.score(sequences);
    for (int i = 0; i < fitting.length; i++) {
      scores.put(items.get(fitting[i]), (double) values[i]);
    }
  }

  private static int[] join(ScoredCompletion answer) {
    return IntStream.concat(IntStream.of(answer.promptIds()), IntStream.of(answer.completionIds()))
        .toArray();
  }

  private static String row(Item item) {
    return new io.attune.training.dataset.Row.Scored(item.prompt(), item.completion(), 0, List.of())
        .toJson()
        .toString();
  }

  /** Puts what is published, and nothing else, into a folder of its own. */
  String saveAdapter() {
    try {
      Files.createDirectories(folder.adapter());
      for (String name : isAdapter(folder.trained()) ? ADAPTER_FILES : MODEL_FILES) {
        publish(name);
      }
      for (String name : MORE_OF_MODELS) {
        if (Files.exists(folder.trained().resolve(name))) {
          publish(name);
        }
      }
      Path attune = folder.adapter().resolve(ATTUNE);
      ObjectNode contract = (ObjectNode) JSON.readTree(attune.toFile());
      return contract.required("contract_sha256").asText();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the adapter of " + folder.root(), e);
    }
  }

  private void publish(String name) throws IOException {
    Files.copy(
        folder.trained().resolve(name),
        folder.adapter().resolve(name),
        StandardCopyOption.REPLACE_EXISTING);
  }
}
