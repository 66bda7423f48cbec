package io.attune.launcher.demo;

import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Conversation;
import io.attune.common.v1.Prompt;
import io.attune.launcher.local.Endpoints;
import io.attune.launcher.local.Tokens;
import io.attune.launcher.quickstart.Question;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.InferenceServiceGrpc;
import io.attune.serving.v1.SamplingParameters;
import io.attune.training.v1.AdapterServiceGrpc;
import io.attune.training.v1.GetLineageRequest;
import io.attune.training.v1.Lineage;
import io.attune.training.v1.TrainingServiceGrpc;
import io.attune.training.v1.WatchTrainingJobRequest;
import io.attune.training.v1.WatchTrainingJobResponse;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The gRPC calls that the demo makes, each with a token that has no more roles than it needs. */
final class PlatformCalls implements AutoCloseable {
  /** Answers in one call; the endpoint takes up to 64. */
  static final int BATCH = 32;

  private final ManagedChannel serving;
  private final ManagedChannel training;
  private final Channel asRater;
  private final Channel asViewer;

  PlatformCalls(Endpoints endpoints, Tokens tokens) {
    serving = channel(endpoints.serving());
    training = channel(endpoints.training());
    asRater =
        ClientInterceptors.intercept(
            serving, new Bearer(() -> tokens.mint("simulated-raters", List.of("rater"))));
    asViewer =
        ClientInterceptors.intercept(
            training, new Bearer(() -> tokens.mint("demo", List.of("viewer"))));
  }

  /** How an answer is drawn: everything but the seed. */
  record Draw(float temperature, int maxNewTokens) {}

  /**
   * Answers to questions, in their order.
   *
   * @param line the model asked
   * @param seed answer i is drawn with seed + i
   */
  List<Generation> ask(String line, List<Question> questions, Draw draw, long seed) {
    GenerateBatchRequest.Builder batch = GenerateBatchRequest.newBuilder();
    for (int i = 0; i < questions.size(); i++) {
      batch.addRequests(
          GenerateRequest.newBuilder()
              .setModel(line)
              .setPrompt(prompt(questions.get(i)))
              .setSampling(
                  SamplingParameters.newBuilder()
                      .setTemperature(draw.temperature())
                      .setMaxNewTokens(draw.maxNewTokens())
                      .setSeed(seed + i)));
    }
    return InferenceServiceGrpc.newBlockingStub(asRater)
        .generateBatch(batch.build())
        .getGenerationsList();
  }

  /** As {@link #ask}, in batches; tells after each how many answers there are. */
  List<Generation> askAll(
      String line, List<Question> questions, Draw draw, long seed, Consumer<Integer> progress) {
    List<Generation> answers = new ArrayList<>();
    for (int from = 0; from < questions.size(); from += BATCH) {
      int to = Math.min(from + BATCH, questions.size());
      answers.addAll(ask(line, questions.subList(from, to), draw, seed + from));
      progress.accept(answers.size());
    }
    return answers;
  }

  /** Tells of each change of a job until its end. What breaks the call off is told too. */
  void watch(String jobId, Consumer<WatchTrainingJobResponse> change, Consumer<Throwable> broken) {
    TrainingServiceGrpc.newStub(asViewer)
        .watchTrainingJob(
            WatchTrainingJobRequest.newBuilder().setId(jobId).build(),
            new StreamObserver<>() {
              @Override
              public void onNext(WatchTrainingJobResponse response) {
                change.accept(response);
              }

              @Override
              public void onError(Throwable error) {
                broken.accept(error);
              }

              @Override
              public void onCompleted() {}
            });
  }

  /** Where a version comes from, with the first few rating ids. */
  Lineage lineage(String line, long version) {
    return AdapterServiceGrpc.newBlockingStub(asViewer)
        .getLineage(
            GetLineageRequest.newBuilder().setLine(line).setVersion(version).setPageSize(3).build())
        .getLineage();
  }

  @Override
  public void close() {
    serving.shutdownNow();
    training.shutdownNow();
  }

  private static Prompt prompt(Question question) {
    return Prompt.newBuilder()
        .setConversation(
            Conversation.newBuilder()
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent(question.text())))
        .build();
  }

  private static ManagedChannel channel(int port) {
    return ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }
}
