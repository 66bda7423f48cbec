package io.attune.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Prompt;
import io.attune.serving.v1.AdapterActivated;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerateResponse;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.ListModelsRequest;
import io.attune.serving.v1.Model;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.attune.training.v1.Adapter;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Releases that come in while requests run, one every 100 ms whatever becomes of those before. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class ReleaseIT {

  private static final int RELEASES = 10;
  private static final long TICK_MILLIS = 100;

  /** Few, so that a busy machine keeps up with the ticks; a mix would show in them as well. */
  private static final int TOKENS = 12;

  private static final Duration LIMIT = Duration.ofMinutes(3);

  private final Fixture fixture = new Fixture();
  private final Queue<List<GenerateResponse>> answers = new ConcurrentLinkedQueue<>();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Map<Long, AtomicInteger> answersByVersion = new ConcurrentHashMap<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger sent = new AtomicInteger();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void tenReleasesUnderLoadFailAndMixNothing() {
    String line = "swapped";
    List<Artifact> artifacts =
        List.of(
            fixture.publish(Fixture.ADAPTERS.resolve("one")),
            fixture.publish(Fixture.ADAPTERS.resolve("two")));
    fixture.release(line, 1, adapter(line, 1, artifacts));
    await().atMost(LIMIT).until(() -> activeVersion(line) == 1);

    loadWhile(
        line,
        () -> {
          for (long version = 1; version <= RELEASES; version++) {
            long now = version;
            fixture.release(line, now, adapter(line, now, artifacts));
            // The next one comes when this one has answered: every version serves under load.
            await().atMost(LIMIT).until(() -> answered(now) >= 2);
          }
        });

    assertThat(failures).isEmpty();
    assertThat(answers).hasSize(sent.get());
    assertThat(answersByVersion).hasSize(RELEASES);
    assertThat(answers).allSatisfy(pieces -> assertWrittenByOneVersion(pieces, line, artifacts));
  }

  @Test
  void brokenReleasesLeaveTheOldVersionServing(@TempDir Path folder) throws IOException {
    String line = "guarded";
    Artifact good = fixture.publish(Fixture.ADAPTERS.resolve("one"));
    fixture.release(line, 1, Fixture.adapter(line, 1, good));
    await().atMost(LIMIT).until(() -> activeVersion(line) == 1);

    Files.copy(
        Fixture.ADAPTERS.resolve("one/adapter_model.safetensors"),
        folder.resolve("adapter_model.safetensors"));
    Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\":\"LORA\",\"r\":");
    Artifact malformed = fixture.publish(folder);
    Artifact missing =
        good.toBuilder()
            .setUri(good.getUri().replace(good.getSha256(), "0".repeat(64)))
            .setSha256("0".repeat(64))
            .build();

    loadWhile(
        line,
        () -> {
          fixture.release(line, 2, Fixture.adapter(line, 2, malformed));
          fixture.release(line, 3, Fixture.adapter(line, 3, missing));
          fixture.release(
              line,
              4,
              Fixture.adapter(line, 4, good).toBuilder().setContractSha256("f".repeat(64)).build());
          List<AdapterActivated> failed =
              fixture.read(
                  AdapterActivated.class,
                  1,
                  event ->
                      event.getAdapter().getLine().equals(line)
                          && event.getAdapter().getVersion() == 4);
          assertThat(failed).hasSize(1);
          assertThat(failed.get(0).getFailure().getCode())
              .isEqualTo(ErrorCode.ERROR_CODE_INCOMPATIBLE);
          assertThat(activeVersion(line)).isEqualTo(1);

          fixture.release(
              line, 5, Fixture.adapter(line, 5, fixture.publish(Fixture.ADAPTERS.resolve("two"))));
          await().atMost(LIMIT).until(() -> answered(5) >= 1);
        });

    assertThat(failures).isEmpty();
    assertThat(answers).hasSize(sent.get());
    assertThat(answersByVersion).containsOnlyKeys(1L, 5L);
  }

  private static Adapter adapter(String line, long version, List<Artifact> artifacts) {
    return Fixture.adapter(line, version, artifacts.get((int) ((version + 1) % 2)));
  }

  private static void assertWrittenByOneVersion(
      List<GenerateResponse> pieces, String line, List<Artifact> artifacts) {
    Generation whole = pieces.get(pieces.size() - 1).getGeneration();
    long version = whole.getAdapter().getVersion();
    assertThat(pieces)
        .allSatisfy(
            piece ->
                assertThat(piece.getAdapter())
                    .isEqualTo(adapter(line, version, artifacts).getVersion()));
    var expected = Fixture.expected(version % 2 == 1 ? "one" : "two", 0);
    assertThat(whole.getCompletionTokenIdsList())
        .containsExactlyElementsOf(
            Fixture.ints(expected.path("completion_token_ids")).subList(0, TOKENS));
    assertThat(String.join("", pieces.stream().map(GenerateResponse::getText).toList()))
        .isEqualTo(whole.getCompletion());
  }

  /** Asks at every tick until the releases are through; returns when all answers have ended. */
  private void loadWhile(String line, Runnable releases) {
    var ticks = Executors.newSingleThreadScheduledExecutor();
    long begun = System.nanoTime();
    try {
      ticks.scheduleAtFixedRate(() -> ask(line), 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
      releases.run();
      long due = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun) / TICK_MILLIS;
      await().atMost(LIMIT).until(() -> sent.get() >= due);
    } finally {
      ticks.shutdown();
    }
    await().atMost(LIMIT).until(() -> ticks.isTerminated() && open.get() == 0);
  }

  private int answered(long version) {
    return answersByVersion.getOrDefault(version, new AtomicInteger()).get();
  }

  private long activeVersion(String line) {
    return fixture
        .blocking()
        .listModels(ListModelsRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .filter(model -> model.getName().equals(line))
        .map(Model::getAdapter)
        .mapToLong(version -> version.getVersion())
        .findFirst()
        .orElse(-1);
  }

  private void ask(String line) {
    open.incrementAndGet();
    sent.incrementAndGet();
    var request =
        GenerateRequest.newBuilder()
            .setModel(line)
            .setPrompt(
                Prompt.newBuilder().setText(Fixture.expected("one", 0).path("prompt").textValue()))
            .setSampling(SamplingParameters.newBuilder().setTemperature(0).setMaxNewTokens(TOKENS))
            .build();
    Queue<GenerateResponse> pieces = new ConcurrentLinkedQueue<>();
    fixture
        .async()
        .generate(
            request,
            new StreamObserver<>() {
              @Override
              public void onNext(GenerateResponse piece) {
                pieces.add(piece);
              }

              @Override
              public void onError(Throwable failed) {
                failures.add(failed);
                open.decrementAndGet();
              }

              @Override
              public void onCompleted() {
                var all = List.copyOf(pieces);
                answers.add(all);
                answersByVersion
                    .computeIfAbsent(all.get(0).getAdapter().getVersion(), v -> new AtomicInteger())
                    .incrementAndGet();
                open.decrementAndGet();
              }
            });
  }
}
