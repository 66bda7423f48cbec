package io.attune.engine.online;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.GeneratedToken;
import io.attune.engine.GenerationListener;
import io.attune.engine.GenerationRequest;
import io.attune.engine.GeneratorOptions;
import io.attune.engine.Golden;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextGenerator;
import io.attune.engine.generate.SamplingParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Completions are those that each text by itself would get, however many are written at once. */
class RolloutWriterTest {
  private static final int LONGEST = 12;

  /** So many that texts end at any length. */
  private static final Set<Integer> ENDINGS = Set.of(2, 5, 17, 40, 77, 100, 150, 200, 300);

  private static LanguageModel model;

  @BeforeAll
  static void load() {
    model = LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 5, 20, 100})
  void textsDoNotDependOnTheirCompany(int slots) throws InterruptedException {
    List<int[]> prompts = prompts(7);
    List<int[]> written = write(prompts, 3, slots);
    assertThat(written).hasSize(21);
    for (int i = 0; i < written.size(); i++) {
      assertThat(written.get(i)).as("text %d", i).isEqualTo(alone(prompts.get(i / 3), seed(i)));
    }
    assertThat(written).anyMatch(ids -> ids.length == LONGEST);
    assertThat(written).anyMatch(ids -> ids.length < LONGEST);
  }

  @Test
  void oneSeedWritesOneText() {
    List<int[]> prompts = prompts(3);
    assertThat(write(prompts, 2, 4).toArray(int[][]::new))
        .isDeepEqualTo(write(prompts, 2, 4).toArray(int[][]::new));
  }

  private static List<int[]> prompts(int count) {
    Random random = new Random(9);
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      prompts.add(random.ints(1 + random.nextInt(20), 4, 380).toArray());
    }
    return prompts;
  }

  private static long seed(int text) {
    return 1000 + 31L * text;
  }

  private static List<int[]> write(List<int[]> prompts, int each, int slots) {
    return new RolloutWriter(model.decoder(), new int[0], ENDINGS, sampling(), slots)
        .write(prompts, each, RolloutWriterTest::seed);
  }

  private static SamplingParameters sampling() {
    return SamplingParameters.builder().temperature(1.3).maxNewTokens(LONGEST).build();
  }

  /** By the generator that serves requests, cut at the first token that ends a text here. */
  private static int[] alone(int[] prompt, long seed) throws InterruptedException {
    List<Integer> ids = new ArrayList<>();
    CountDownLatch ended = new CountDownLatch(1);
    try (TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      generator.submit(
          new GenerationRequest(prompt, null, sampling().toBuilder().seed(seed).build()),
          new GenerationListener() {
            @Override
            public void onToken(GeneratedToken token) {
              ids.add(token.id());
            }

            @Override
            public void onComplete(CompletedGeneration completed) {
              ended.countDown();
            }

            @Override
            public void onFailure(EngineException failure) {
              ended.countDown();
            }
          });
      ended.await();
    }
    int length = 0;
    while (length < ids.size() && !ENDINGS.contains(ids.get(length))) {
      length++;
    }
    return ids.stream()
        .limit(Math.min(ids.size(), length + 1))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
