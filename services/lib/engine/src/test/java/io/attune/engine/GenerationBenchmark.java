package io.attune.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.generate.SamplingParameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Our side of a generation benchmark; one JSON line at the end, after one warm-up batch.
 *
 * <p>Arguments: model folder, prompts ({@code {"prompt": ...}} a line), how many of them, texts
 * written at once, new tokens a text, threads, float32 or bfloat16. Greedy, as peer_generate.py of
 * the reference side.
 */
final class GenerationBenchmark {
  private GenerationBenchmark() {}

  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    int batch = Integer.parseInt(args[3]);
    int length = Integer.parseInt(args[4]);
    LoadOptions options =
        LoadOptions.defaults().withThreads(Integer.parseInt(args[5])).withDtype(args[6]);
    try (LanguageModel model = LanguageModel.load(Path.of(args[0]), options)) {
      List<int[]> prompts = prompts(model, Path.of(args[1]), count);
      int longest = prompts.stream().mapToInt(p -> p.length).max().orElseThrow();
      GeneratorOptions sizes = new GeneratorOptions(batch, longest + length);
      try (TextGenerator generator = new TextGenerator(model, sizes)) {
        write(generator, prompts.subList(0, Math.min(batch, count)), length);
        long start = System.nanoTime();
        int tokens = write(generator, prompts, length);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
            "{\"batch\": %d, \"new_tokens\": %d, \"new_tokens_per_second\": %.1f, \"seconds\":"
                + " %.2f}%n",
            batch, tokens, tokens / seconds, seconds);
      }
    }
  }

  private static List<int[]> prompts(LanguageModel model, Path file, int count) throws Exception {
    List<int[]> prompts = new ArrayList<>();
    for (String line : Files.readAllLines(file).subList(0, count)) {
      JsonNode row = new ObjectMapper().readTree(line);
      prompts.add(model.tokenizer().encode(row.path("prompt").asText(), true));
    }
    return prompts;
  }

  /** Tokens that were written. */
  private static int write(TextGenerator generator, List<int[]> prompts, int length)
      throws InterruptedException {
    AtomicInteger tokens = new AtomicInteger();
    AtomicReference<EngineException> failure = new AtomicReference<>();
    CountDownLatch left = new CountDownLatch(prompts.size());
    GenerationListener listener =
        new GenerationListener() {
          @Override
          public void onToken(GeneratedToken token) {
            tokens.incrementAndGet();
          }

          @Override
          public void onComplete(CompletedGeneration done) {
            left.countDown();
          }

          @Override
          public void onFailure(EngineException thrown) {
            failure.set(thrown);
            left.countDown();
          }
        };
    for (int[] prompt : prompts) {
      generator.submit(
          new GenerationRequest(prompt, null, SamplingParameters.greedy(length)), listener);
    }
    left.await();
    if (failure.get() != null) {
      throw failure.get();
    }
    return tokens.get();
  }
}
