package io.attune.launcher.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.Prompt;
import io.attune.engine.evaluate.Correlation;
import io.attune.launcher.demo.HumanRatings.Single;
import io.attune.launcher.demo.HumanRatings.Text;
import io.attune.launcher.display.Display;
import io.attune.launcher.local.DataFolder;
import io.attune.launcher.local.Endpoints;
import io.attune.launcher.local.IssuerKind;
import io.attune.launcher.local.Platform;
import io.attune.launcher.local.Progress;
import io.attune.launcher.local.Settings;
import io.attune.launcher.local.Tokens;
import io.attune.platform.event.Topics;
import io.attune.reward.v1.Answer;
import io.attune.reward.v1.RewardServiceGrpc;
import io.attune.reward.v1.ScoreRequest;
import io.attune.reward.v1.ScoreResponse;
import io.attune.training.v1.AdapterServiceGrpc;
import io.attune.training.v1.CreateTrainingJobRequest;
import io.attune.training.v1.ListAdaptersRequest;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.TrainingArguments;
import io.attune.training.v1.TrainingJob;
import io.attune.training.v1.TrainingServiceGrpc;
import io.attune.training.v1.TrainingSpec;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;

/**
 * A reward model that the platform trains from what single people said, one event each:
 * docs/results.md. No test runs it.
 *
 * <pre>RatingsExperiment human-ratings.jsonl ENCODER OUT TEXTS EPOCHS</pre>
 *
 * <p>Starts the platform with its data in OUT/data, writes the ratings of TEXTS texts to the public
 * topic, waits until all are accepted, has a reward job train ENCODER, and asks the reward service
 * for scores of the held-out texts, which no rating was about. OUT/held-out-SET.jsonl are their
 * rows for {@code attune evaluate}, with the folder that is printed; OUT/scores-SET.jsonl what the
 * service said.
 */
final class RatingsExperiment {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of the adapter line and of the data set. */
  private static final String NAME = "human-ratings";

  private static final int AT_ONCE = 128;
  private static final long SEED = 1;

  private final Endpoints endpoints;
  private final Tokens tokens;
  private final Path out;
  private final HumanRatings data;

  RatingsExperiment(Endpoints endpoints, Tokens tokens, Path out, HumanRatings data) {
    this.endpoints = endpoints;
    this.tokens = tokens;
    this.out = out;
    this.data = data;
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    HumanRatings data = HumanRatings.read(Path.of(args[0]));
    Path out = Path.of(args[2]);
    Files.createDirectories(out);
    Display display = Display.of(System.out);
    Path home = Path.of(System.getProperty("attune.home"));
    try (DataFolder held = DataFolder.open(out.resolve("data"))) {
      Settings settings =
          new Settings(
              home,
              held.root(),
              home.resolve("deploy/quickstart/model"),
              1,
              IssuerKind.BUILT_IN,
              Map.of(
                  "training",
                  Map.of(
                      "attune.threads",
                      "1",
                      "attune.training.reward-encoder",
                      Path.of(args[1]).toAbsolutePath().toString()),
                  // The gate needs few texts, and every text is wanted for training.
                  "ingestion",
                  Map.of("attune.ingestion.held-out-permille", "30"),
                  "serving",
                  Map.of("attune.threads", "1"),
                  "reward",
                  Map.of("attune.threads", "1")));
      try (Platform platform = Platform.start(settings, held, display)) {
        new RatingsExperiment(platform.endpoints(), platform.tokens(), out, data)
            .run(
                Integer.parseInt(args[3]), Double.parseDouble(args[4]), display, platform.failed());
      }
    }
  }

  private void run(
      int texts, double epochs, Progress progress, CompletableFuture<String> platformFailed)
      throws IOException, InterruptedException {
    List<Single> ratings = data.singles(texts, SEED);
    try (EventFeed events = EventFeed.open(endpoints.bootstrap());
        PlatformCalls calls = new PlatformCalls(endpoints, tokens)) {
      Round round = new Round(events, calls, progress, platformFailed);
      long began = System.nanoTime();
      send(ratings);
      double sent = seconds(began);
      round.awaitAccepted(ratings.size());
      double accepted = seconds(began);
      System.out.printf(
          "%d ratings of %d texts: written in %.1f s, accepted after %.1f s, %.0f a second%n",
          ratings.size(),
          Math.min(texts, data.rest().size()),
          sent,
          accepted,
          ratings.size() / accepted);
      TrainingJob created = create(epochs);
      TrainingJob job = round.awaitJob(NAME);
      System.out.printf("job %s: %s%n", created.getId(), job.getState());
      System.out.println(job.getDecision().getReason() + job.getFailure().getMessage());
      if (job.getState() != TrainingJob.State.STATE_RELEASED) {
        return;
      }
    }
    System.out.println(artifact());
    evaluate();
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** As any application would write them: lines of JSON. The texts are imported with them. */
  void send(List<Single> ratings) throws IOException {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", endpoints.bootstrap(), "acks", "all", "linger.ms", 20),
            new StringSerializer(),
            new StringSerializer())) {
      for (Single rating : ratings) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", rating.id());
        line.put("dataset", NAME);
        line.put("rater", rating.rater());
        line.put("completion", rating.text());
        line.put("score", rating.score());
        // One that is lost is missed by the count of those accepted.
        producer.send(
            new ProducerRecord<>(Topics.RATINGS, rating.id(), JSON.writeValueAsString(line)));
      }
    }
  }

  TrainingJob create(double epochs) {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setLine(NAME)
            .setDataset(NAME)
            .setReward(RewardObjective.newBuilder().setClassifierPooling("mean"))
            .setArguments(
                TrainingArguments.newBuilder()
                    .setMaxLength(64)
                    .setPerDeviceTrainBatchSize(16)
                    .setGradientAccumulationSteps(1)
                    .setNumTrainEpochs(epochs)
                    .setLearningRate(2e-4)
                    .setWarmupSteps(100)
                    .setWeightDecay(0.01)
                    .setSeed(SEED))
            .build();
    return call(
        endpoints.training(),
        channel ->
            TrainingServiceGrpc.newBlockingStub(channel)
                .createTrainingJob(
                    CreateTrainingJobRequest.newBuilder()
                        .setRequestId(UUID.randomUUID().toString())
                        .setSpec(spec)
                        .build())
                .getJob());
  }

  /** Where the newest version lies. */
  String artifact() {
    return call(
        endpoints.training(),
        channel ->
            AdapterServiceGrpc.newBlockingStub(channel)
                .listAdapters(ListAdaptersRequest.newBuilder().setLine(NAME).build())
                .getAdapters(0)
                .getArtifact()
                .getUri());
  }

  /** Scores the held-out texts by the reward service. */
  void evaluate() throws IOException {
    for (String set : List.of("tweets", "movies")) {
      List<Text> texts = data.heldOut().stream().filter(text -> text.set().equals(set)).toList();
      List<String> rows = new ArrayList<>();
      for (Text text : texts) {
        rows.add(JSON.writeValueAsString(Map.of("text", text.text(), "score", text.mean())));
      }
      Files.write(out.resolve("held-out-" + set + ".jsonl"), rows);
      double[] truth = texts.stream().mapToDouble(Text::mean).toArray();
      double[] scores = scores(texts);
      List<String> said = new ArrayList<>();
      for (double score : scores) {
        said.add(Double.toString(score));
      }
      Files.write(out.resolve("scores-" + set + ".jsonl"), said);
      System.out.printf(
          "%s: Pearson %.4f of %d texts, by the reward service%n",
          set,
          new Correlation("pearson").score(Correlation.statistics(truth, scores)),
          texts.size());
    }
  }

  private double[] scores(List<Text> texts) {
    double[] scores = new double[texts.size()];
    for (int from = 0; from < scores.length; from += AT_ONCE) {
      List<Text> some = texts.subList(from, Math.min(scores.length, from + AT_ONCE));
      ScoreResponse response = score(some);
      for (int i = 0; i < some.size(); i++) {
        scores[from + i] = response.getScores(i);
      }
    }
    return scores;
  }

  /** The service hears of a release by an event, and is asked again until it has. */
  private ScoreResponse score(List<Text> texts) {
    ScoreRequest.Builder request = ScoreRequest.newBuilder().setLine(NAME);
    for (Text text : texts) {
      request.addAnswers(
          Answer.newBuilder()
              .setPrompt(Prompt.newBuilder().setText(""))
              .setCompletion(text.text()));
    }
    return Awaitility.await("the release at the reward service")
        .atMost(Duration.ofMinutes(2))
        .ignoreExceptionsMatching(RatingsExperiment::isEarly)
        .until(
            () ->
                call(
                    endpoints.reward(),
                    channel -> RewardServiceGrpc.newBlockingStub(channel).score(request.build())),
            response -> true);
  }

  private static boolean isEarly(Throwable thrown) {
    Status.Code code = Status.fromThrowable(thrown).getCode();
    return code == Status.Code.UNAVAILABLE || code == Status.Code.NOT_FOUND;
  }

  private interface Call<T> {
    T on(Channel channel);
  }

  private <T> T call(int port, Call<T> call) {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    Metadata metadata = new Metadata();
    metadata.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Bearer " + tokens.mint("experiment", List.of("trainer", "viewer"), Duration.ofHours(1)));
    try {
      return call.on(
          ClientInterceptors.intercept(
              channel, MetadataUtils.newAttachHeadersInterceptor(metadata)));
    } finally {
      channel.shutdownNow();
    }
  }
}
