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
final class Learning {
  private static final Logger LOG = Logger.getLogger(Learning.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SCORES_AT_ONCE = 16;
  private static final List<String> ADAPTER_FILES =
      List.of("adapter_config.json", "adapter_model.safetensors", "attune.json");

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

  /**
   * Trains, from the newest checkpoint if there is one.
   *
   * @param balance what the rows need where they are of good and bad answers
   */
  void train(KtoWeights balance) {
    TrainingRun.run(
        new io.attune.engine.TrainingSpec(
            Path.of(order.baseModel()),
            folder.rows(),
            folder.run(),
            EngineParameters.objective(spec),
            "lora",
            order.initAdapter() == null ? null : Path.of(order.initAdapter()),
            null,
            null,
            EngineParameters.of(spec, order.threads(), balance)),
        new Listener(messages),
        stop,
        SpecRules.isOnline(spec) ? new FolderExchange(folder, stop) : null);
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
   * @return the scores; an answer whose prompt alone fills max_length has none
   */
  Map<Item, Double> scores(Path adapter, List<Item> items) {
    Path file = folder.root().resolve("exam.jsonl");
    folder.writeLines(file, items.stream().map(Learning::row).toList());
    List<Row> rows = Rows.read(file);
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
      for (String name : ADAPTER_FILES) {
        Files.copy(
            folder.trained().resolve(name),
            folder.adapter().resolve(name),
            StandardCopyOption.REPLACE_EXISTING);
      }
      Path attune = folder.adapter().resolve("attune.json");
      ObjectNode contract = (ObjectNode) JSON.readTree(attune.toFile());
      return contract.required("contract_sha256").asText();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the adapter of " + folder.root(), e);
    }
  }
}
