package io.attune.engine;

import ai.djl.ndarray.NDManager;
import io.attune.engine.generate.BeamSearch;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.ScoredText;
import io.attune.engine.generate.TokenConstraints;
import io.attune.engine.model.KvCache;
import io.attune.engine.model.MemoryCache;
import io.attune.engine.model.MemoryDecoder;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Beam searches for several sources, stepped together. */
final class SequenceSearch {
  private final MemoryDecoder decoder;
  private final int beams;
  private final List<BeamSearch> searches = new ArrayList<>();

  SequenceSearch(
      MemoryDecoder decoder,
      int count,
      BeamSearchParameters parameters,
      TokenConstraints constraints,
      int startToken) {
    this.decoder = decoder;
    this.beams = parameters.numBeams();
    for (int i = 0; i < count; i++) {
      searches.add(new BeamSearch(parameters, constraints, startToken));
    }
  }

  /**
   * @param capacity tokens that a text has at most, the start token included
   */
  List<List<ScoredText>> run(List<int[]> sources, int capacity) {
    int longest = sources.stream().mapToInt(source -> source.length).max().orElse(0);
    try (Torch.GradMode mode = Torch.gradMode(false);
        MemoryCache memory = decoder.newMemory(sources.size(), longest);
        KvCache cache = decoder.newCache(sources.size() * beams, capacity)) {
      for (int i = 0; i < sources.size(); i++) {
        decoder.read(memory, i, sources.get(i));
      }
      for (int[] open = open(); open.length > 0; open = open()) {
        step(open, memory, cache);
      }
    }
    return searches.stream().map(BeamSearch::best).toList();
  }

  private int[] open() {
    return IntStream.range(0, searches.size()).filter(i -> !searches.get(i).done()).toArray();
  }

  private void step(int[] open, MemoryCache memory, KvCache cache) {
    int[] slots = new int[open.length * beams];
    int[][] tokens = new int[slots.length][];
    int[] positions = new int[slots.length];
    for (int i = 0; i < open.length; i++) {
      BeamSearch search = searches.get(open[i]);
      int[] last = search.lastTokens();
      for (int b = 0; b < beams; b++) {
        slots[i * beams + b] = open[i] * beams + b;
        tokens[i * beams + b] = new int[] {last[b]};
        positions[i * beams + b] = search.length() - 1;
      }
    }
    float[] logits;
    try (NDManager scope = Torch.scope("search")) {
      logits = decoder.step(scope, cache, slots, memory, open, tokens, positions).toFloatArray();
    }
    int vocabulary = logits.length / slots.length;
    int[] from = IntStream.range(0, cache.slots()).toArray();
    for (int i = 0; i < open.length; i++) {
      BeamSearch search = searches.get(open[i]);
      float[][] own = new float[beams][];
      for (int b = 0; b < beams; b++) {
        int start = (i * beams + b) * vocabulary;
        own[b] = Arrays.copyOfRange(logits, start, start + vocabulary);
      }
      search.advance(own);
      int[] origins = search.origins();
      for (int b = 0; b < beams; b++) {
        from[open[i] * beams + b] = open[i] * beams + origins[b];
      }
    }
    cache.reorder(from, positions[0] + 1);
  }
}
