package io.attune.launcher.evaluate;

import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.GeneratedToken;
import io.attune.engine.GenerationListener;
import io.attune.engine.GenerationRequest;
import io.attune.engine.GeneratorOptions;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.TextGenerator;
import io.attune.engine.data.Examples;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import io.attune.engine.objective.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A decoder-only model. */
final class LanguageSubject extends Subject {
  private final LanguageModel model;
  private final @Nullable LoadedAdapter adapter;
  private final int positions;
  private final Examples examples;

  LanguageSubject(LanguageModel model, @Nullable Path adapter, ReadingSettings settings) {
    super(model, settings);
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    int virtual = this.adapter == null ? 0 : this.adapter.virtualTokens();
    this.positions = model.config().maxPositions() - virtual;
    this.examples = model.examples(limit(positions));
  }

  @Override
  int window() {
    return limit(positions);
  }

  @Override
  Optional<Passage> passage(Row row) {
    return examples.sft(row).map(Passage::of);
  }

  @Override
  Optional<List<Passage>> answers(Row row) {
    return examples
        .preference(row)
        .map(pair -> List.of(answer(pair, pair.chosenIds()), answer(pair, pair.rejectedIds())));
  }

  @Override
  List<Reading> read(List<Passage> passages) {
    return model.read(passages.stream().map(Passage::text).toList(), adapter);
  }

  private static Passage answer(PreferencePair pair, int[] answer) {
    int[] prompt = pair.promptIds();
    int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
    System.arraycopy(answer, 0, ids, prompt.length, answer.length);
    return Passage.of(SftExample.completion(ids, prompt.length));
  }

  @Override
  void requireWriter(WritingSettings writing) {
    writing.requireNoSearch();
  }

  @Override
  int[] prompt(Row row) {
    int[] prompt = examples.prompt(row);
    if (prompt.length == 0 || prompt.length >= positions) {
      throw new EngineException(
          prompt.length == 0 ? Reason.INVALID_ARGUMENT : Reason.TOO_LONG,
          "its prompt has "
              + prompt.length
              + " tokens; the model takes 1 to "
              + (positions - 1)
              + " before an answer");
    }
    return prompt;
  }

  @Override
  List<String> write(List<int[]> prompts, WritingSettings writing, IntConsumer done) {
    int virtual = adapter == null ? 0 : adapter.virtualTokens();
    int longest = prompts.stream().mapToInt(prompt -> prompt.length).max().orElse(1);
    long capacity = (long) virtual + longest + writing.sampling(0).maxNewTokens();
    int slots = Math.min(settings.batchSize(), prompts.size());
    List<CompletableFuture<CompletedGeneration>> answers = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    try (TextGenerator generator =
        new TextGenerator(
            model, new GeneratorOptions(slots, (int) Math.min(Integer.MAX_VALUE, capacity)))) {
      for (int i = 0; i < prompts.size(); i++) {
        CompletableFuture<CompletedGeneration> answer = new CompletableFuture<>();
        generator.submit(
            new GenerationRequest(prompts.get(i), adapter, writing.sampling(i)), listener(answer));
        answers.add(answer);
      }
      for (CompletableFuture<CompletedGeneration> answer : answers) {
        texts.add(answer.join().text());
        done.accept(texts.size());
      }
    } catch (CompletionException e) {
      throw e.getCause() instanceof EngineException known ? known : e;
    }
    return texts;
  }

  private static GenerationListener listener(CompletableFuture<CompletedGeneration> answer) {
    return new GenerationListener() {
      @Override
      public void onToken(GeneratedToken token) {}

      @Override
      public void onComplete(CompletedGeneration generation) {
        answer.complete(generation);
      }

      @Override
      public void onFailure(EngineException failure) {
        answer.completeExceptionally(failure);
      }
    };
  }

  @Override
  public void close() {
    if (adapter != null) {
      adapter.close();
    }
  }
}
