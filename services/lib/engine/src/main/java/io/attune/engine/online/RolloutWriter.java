package io.attune.engine.online;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.generate.Logits;
import io.attune.engine.generate.Sampler;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.KvCache;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes several completions to each of many prompts, as many at once as there are slots. The
 * prompt of a group is read once; the places of texts that have ended are filled at once. What is
 * written follows from the weights, prompts and seeds alone.
 *
 * <p>Single-threaded.
 */
final class RolloutWriter {
  /** Places of the padded layout in which prompts are read together. */
  private static final int PROMPT_PLACES = 1024;

  private final Decoder decoder;
  private final int[] virtualTokens;
  private final Set<Integer> endings;
  private final SamplingParameters sampling;
  private final int slots;

  /**
   * @param virtualTokens ids that come before every prompt: an adapter's
   * @param endings tokens that end a text
   * @param sampling with the longest completion as {@code maxNewTokens}
   * @param slots texts written at once
   */
  RolloutWriter(
      Decoder decoder,
      int[] virtualTokens,
      Set<Integer> endings,
      SamplingParameters sampling,
      int slots) {
    this.decoder = decoder;
    this.virtualTokens = virtualTokens.clone();
    this.endings = Set.copyOf(endings);
    this.sampling = sampling;
    this.slots = slots;
  }

  /**
   * @param prompts ids of each
   * @param generations completions of each prompt
   * @param seeds of each completion, counted through
   * @return completions of the first prompt, then of the second, ...; each ends in a token of
   *     {@code endings}, or is as long as allowed
   */
  List<int[]> write(List<int[]> prompts, int generations, IntToLongFunction seeds) {
    List<int[]> inputs = new ArrayList<>();
    int longest = 0;
    for (int[] prompt : prompts) {
      int[] input = Arrays.copyOf(virtualTokens, virtualTokens.length + prompt.length);
      System.arraycopy(prompt, 0, input, virtualTokens.length, prompt.length);
      inputs.add(input);
      longest = Math.max(longest, input.length);
    }
    int total = prompts.size() * generations;
    int used = Math.min(slots, total);
    try (Torch.GradMode mode = Torch.gradMode(false);
        KvCache cache = decoder.newCache(used, longest + sampling.maxNewTokens());
        Writing writing = new Writing(inputs, generations, seeds, cache, used)) {
      return writing.run();
    }
  }

  /** A text that is being written. */
  private static final class Text {
    final int index;
    final Sampler sampler;
    final int[] ids;
    int length;

    /** Tokens that the cache holds. */
    int position;

    int slot;

    Text(int index, Sampler sampler, int capacity, int slot) {
      this.index = index;
      this.sampler = sampler;
      this.ids = new int[capacity];
      this.slot = slot;
    }
  }

  /** One call of {@link #write}: texts stand in slots 0 to {@code active.size() - 1}. */
  private final class Writing implements AutoCloseable {
    private final List<int[]> inputs;
    private final int generations;
    private final IntToLongFunction seeds;
    private final KvCache cache;
    private final int used;
    private final int[][] results;
    private final List<Text> active = new ArrayList<>();
    private int next;

    /** Logits after the prompt that the last started text has, as long as texts of it are due. */
    private @Nullable NDManager heldScope;

    private @Nullable NDArray heldLogits;
    private int heldRow;
    private int heldPrompt = -1;

    Writing(List<int[]> inputs, int generations, IntToLongFunction seeds, KvCache cache, int used) {
      this.inputs = inputs;
      this.generations = generations;
      this.seeds = seeds;
      this.cache = cache;
      this.used = used;
      this.results = new int[inputs.size() * generations][];
    }

    List<int[]> run() {
      while (next < results.length || !active.isEmpty()) {
        start();
        leave();
        if (!active.isEmpty()) {
          step();
          leave();
        }
      }
      return List.of(results);
    }

    /** Starts as many texts as there are free slots. */
    private void start() {
      List<Text> fresh = new ArrayList<>();
      while (active.size() < used && next < results.length) {
        Sampler sampler =
            new Sampler(
                sampling.toBuilder().seed(seeds.applyAsLong(next)).build(),
                inputs.get(next / generations));
        Text text = new Text(next++, sampler, sampling.maxNewTokens(), active.size());
        active.add(text);
        fresh.add(text);
      }
      int from = continueHeld(fresh);
      while (from < fresh.size()) {
        from = read(fresh, from);
      }
    }

    /** Starts those whose prompt another text has in the cache. Returns how many they were. */
    private int continueHeld(List<Text> fresh) {
      int count = 0;
      while (count < fresh.size() && prompt(fresh.get(count)) == heldPrompt) {
        count++;
      }
      Text source = null;
      for (Text text : active) {
        if (prompt(text) == heldPrompt && !fresh.contains(text)) {
          source = text;
        }
      }
      if (count == 0 || source == null) {
        return 0;
      }
      branch(source, fresh.subList(0, count), heldLogits, heldRow);
      return count;
    }

    /** Reads some prompts, once each, and starts their texts. Returns where it stopped. */
    private int read(List<Text> fresh, int from) {
      List<Text> leaders = new ArrayList<>();
      int end = from;
      int longest = 0;
      while (end < fresh.size()) {
        Text text = fresh.get(end);
        boolean leads =
            leaders.isEmpty() || prompt(leaders.get(leaders.size() - 1)) != prompt(text);
        if (leads) {
          longest = Math.max(longest, input(text).length);
          if (!leaders.isEmpty() && longest * (leaders.size() + 1) > PROMPT_PLACES) {
            break;
          }
          leaders.add(text);
        }
        end++;
      }
      int[][] tokens = leaders.stream().map(this::input).toArray(int[][]::new);
      release();
      heldScope = Torch.scope("prompts");
      heldLogits = decode(heldScope, leaders, tokens, new int[tokens.length]);
      int at = from;
      for (int row = 0; row < leaders.size(); row++) {
        Text leader = leaders.get(row);
        List<Text> others = new ArrayList<>();
        for (at++; at < end && prompt(fresh.get(at)) == prompt(leader); at++) {
          others.add(fresh.get(at));
        }
        branch(leader, others, heldLogits, row);
        leader.position = input(leader).length;
        choose(leader, heldLogits, row);
        heldRow = row;
        heldPrompt = prompt(leader);
      }
      return end;
    }

    /** Lets texts go on from the prompt that another one has in the cache. */
    private void branch(Text source, List<Text> texts, NDArray logits, int row) {
      if (texts.isEmpty()) {
        return;
      }
      int length = input(source).length;
      int[] from = new int[texts.size()];
      Arrays.fill(from, source.slot);
      cache.copy(from, texts.stream().mapToInt(text -> text.slot).toArray(), length);
      for (Text text : texts) {
        text.position = length;
        choose(text, logits, row);
      }
    }

    /** Adds a token to every text. */
    private void step() {
      int[][] tokens = new int[active.size()][];
      int[] positions = new int[tokens.length];
      for (int row = 0; row < tokens.length; row++) {
        Text text = active.get(row);
        tokens[row] = new int[] {text.ids[text.length - 1]};
        positions[row] = text.position++;
      }
      try (NDManager scope = Torch.scope("rollout")) {
        NDArray logits = decode(scope, active, tokens, positions);
        for (int row = 0; row < tokens.length; row++) {
          choose(active.get(row), logits, row);
        }
      }
    }

    private NDArray decode(NDManager scope, List<Text> texts, int[][] tokens, int[] positions) {
      int[] places = texts.stream().mapToInt(text -> text.slot).toArray();
      return decoder.step(scope, cache, places, tokens, positions); // [rows, V]
    }

    private void choose(Text text, NDArray logits, int row) {
      try (NDManager scope = Torch.scope("choice")) {
        text.ids[text.length++] = text.sampler.nextId(Logits.row(scope, logits, row));
      }
    }

    /** Takes out texts that have ended; the last ones move into their slots. */
    private void leave() {
      for (int slot = 0; slot < active.size(); ) {
        Text text = active.get(slot);
        if (text.length < text.ids.length && !endings.contains(text.ids[text.length - 1])) {
          slot++;
          continue;
        }
        results[text.index] = Arrays.copyOf(text.ids, text.length);
        Text last = active.remove(active.size() - 1);
        if (last != text) {
          active.set(slot, last);
        }
      }
      List<Text> moved = new ArrayList<>();
      for (int slot = 0; slot < active.size(); slot++) {
        if (active.get(slot).slot != slot) {
          moved.add(active.get(slot));
        }
      }
      if (!moved.isEmpty()) {
        // All come from behind the last slot that is still used.
        cache.copy(
            moved.stream().mapToInt(text -> text.slot).toArray(),
            moved.stream().mapToInt(active::indexOf).toArray(),
            moved.stream().mapToInt(text -> text.position).max().orElse(0));
        moved.forEach(text -> text.slot = active.indexOf(text));
      }
    }

    private int prompt(Text text) {
      return text.index / generations;
    }

    private int[] input(Text text) {
      return inputs.get(prompt(text));
    }

    private void release() {
      if (heldScope != null) {
        heldScope.close();
        heldScope = null;
        heldPrompt = -1;
      }
    }

    @Override
    public void close() {
      release();
    }
  }
}
