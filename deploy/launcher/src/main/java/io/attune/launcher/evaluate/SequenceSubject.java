package io.attune.launcher.evaluate;

import io.attune.engine.CancelSignal;
import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.GeneratedToken;
import io.attune.engine.GenerationListener;
import io.attune.engine.LoadedSequenceAdapter;
import io.attune.engine.SequenceGenerator;
import io.attune.engine.SequenceRequest;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.ScoredText;
import io.attune.engine.generate.TokenConstraints;
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

/** An encoder-decoder: a row's prompt is its source, and its completion the target. */
final class SequenceSubject extends Subject {
  private final SequenceToSequence model;
  private final @Nullable LoadedSequenceAdapter adapter;
  private final Examples examples;

  SequenceSubject(SequenceToSequence model, @Nullable Path adapter, ReadingSettings settings) {
    super(model, settings);
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    this.examples =
        new Examples(
            model.tokenizer(),
            model.chatTemplate(),
            model.eosTokenIds(),
            limit(model.config().maxPositions()));
  }

  @Override
  Optional<Passage> passage(Row row) {
    int[] source = prompt(row);
    int[] labels = tokens(Examples.answer(row));
    int limit = limit(model.config().maxPositions());
    if (labels.length == 0 || labels.length > limit) {
      throw new EngineException(
          labels.length == 0 ? Reason.INVALID_ARGUMENT : Reason.TOO_LONG,
          "its completion has " + labels.length + " tokens; 1 to " + limit + " are read");
    }
    boolean[] targets = new boolean[labels.length];
    Arrays.fill(targets, true);
    return Optional.of(new Passage(source, new SftExample(labels, targets)));
  }

  @Override
  List<Reading> read(List<Passage> passages) {
    return model.read(
        passages.stream().map(Passage::source).toList(),
        passages.stream().map(passage -> passage.text().inputIds()).toList(),
        adapter);
  }

  @Override
  void requireWriter(WritingSettings writing) {
    // It writes in every way.
  }

  @Override
  int[] prompt(Row row) {
    int[] source = examples.prompt(row);
    int limit = limit(model.config().maxPositions());
    if (source.length == 0 || source.length > limit) {
      throw new EngineException(
          source.length == 0 ? Reason.INVALID_ARGUMENT : Reason.TOO_LONG,
          "its prompt has " + source.length + " tokens; 1 to " + limit + " are read");
    }
    return source;
  }

  @Override
  List<String> write(List<int[]> prompts, WritingSettings writing, IntConsumer done) {
    BeamSearchParameters search = writing.search(model);
    TokenConstraints constraints = writing.constraints(model);
    List<String> texts = new ArrayList<>();
    if (search.numBeams() == 1 && writing.samples()) {
      for (int i = 0; i < prompts.size(); i++) {
        texts.add(
            sample(new SequenceRequest(prompts.get(i), adapter, writing.sampling(i), constraints)));
        done.accept(texts.size());
      }
      return texts;
    }
    for (int start = 0; start < prompts.size(); start += settings.batchSize()) {
      List<int[]> batch =
          prompts.subList(start, Math.min(prompts.size(), start + settings.batchSize()));
      for (List<ScoredText> found : model.search(batch, adapter, search, constraints)) {
        texts.add(model.tokenizer().decode(found.get(0).tokens(), true));
      }
      done.accept(texts.size());
    }
    return texts;
  }

  private String sample(SequenceRequest request) {
    CompletableFuture<String> text = new CompletableFuture<>();
    new SequenceGenerator(model)
        .generate(
            request,
            new GenerationListener() {
              @Override
              public void onToken(GeneratedToken token) {}

              @Override
              public void onComplete(CompletedGeneration generation) {
                text.complete(generation.text());
              }

              @Override
              public void onFailure(EngineException failure) {
                text.completeExceptionally(failure);
              }
            },
            CancelSignal.NEVER);
    try {
      return text.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof EngineException known ? known : e;
    }
  }

  @Override
  public void close() {
    if (adapter != null) {
      adapter.close();
    }
  }
}
