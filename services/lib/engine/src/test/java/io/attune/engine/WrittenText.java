package io.attune.engine;

import io.attune.engine.generate.SamplingParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The tokens of a text that a generator writes. */
final class WrittenText implements GenerationListener {
  private final List<Integer> ids = new ArrayList<>();
  private final CompletableFuture<int[]> done = new CompletableFuture<>();

  private WrittenText() {}

  /**
   * Asks for a text.
   *
   * @param adapter null for the base model
   * @param tokens at most
   */
  static CompletableFuture<int[]> greedy(
      TextGenerator generator, int[] prompt, @Nullable LoadedAdapter adapter, int tokens) {
    WrittenText text = new WrittenText();
    generator.submit(
        new GenerationRequest(prompt, adapter, SamplingParameters.greedy(tokens)), text);
    return text.done;
  }

  @Override
  public void onToken(GeneratedToken token) {
    ids.add(token.id());
  }

  @Override
  public void onComplete(CompletedGeneration generation) {
    done.complete(ids.stream().mapToInt(id -> id).toArray());
  }

  @Override
  public void onFailure(EngineException failure) {
    done.completeExceptionally(failure);
  }
}
