package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.Logits;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.KvCache;
import io.attune.engine.tensor.Torch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes many texts at once with one base model and any number of its adapters. One thread runs the
 * model: each turn takes in what waits, reads a part of every prompt, and adds a token to every
 * text that is being written, one program call of either kind for each adapter (continuous
 * batching).
 */
public final class TextGenerator implements AutoCloseable {
  /** Tokens of a prompt that one turn reads, so that a long one holds the others up little. */
  private static final int PROMPT_PART = 128;

  /**
   * Places of the padded layout in which prompts are read together: enough for the products to be
   * efficient, few enough that attention's masks, which are as wide as the longest text, stay
   * small.
   */
  private static final int PROMPT_PLACES = 1024;

  private final LanguageModel model;
  private final int capacity;
  private final KvCache cache;
  private final Deque<GeneratedText> waiting = new ArrayDeque<>();
  private final GeneratedText[] slots;
  private final Thread thread;
  private boolean closed;

  public TextGenerator(LanguageModel model, GeneratorOptions options) {
    this.model = model;
    this.capacity = Math.min(options.capacity(), model.config().maxPositions());
    this.slots = new GeneratedText[options.slots()];
    this.cache = Torch.apart(() -> model.decoder().newCache(options.slots(), capacity));
    this.thread = new Thread(this::run, "text-generator");
    thread.setDaemon(true);
    thread.start();
  }

  /** Virtual, prompt and answer tokens together, at most. */
  public int capacity() {
    return capacity;
  }

  /**
   * Queues a text; returns at once. What exceeds the capacity ends the text, as max_new_tokens
   * does.
   *
   * @throws EngineException TOO_LONG if the prompt leaves no room for a token, CANCELLED if closed
   */
  public GenerationHandle submit(GenerationRequest request, GenerationListener listener) {
    int prompt = request.promptTokens().length;
    if (prompt == 0) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "the prompt has no token");
    }
    LoadedAdapter adapter = request.adapter();
    int virtual = adapter == null ? 0 : adapter.virtualTokens();
    if (prompt + virtual >= capacity) {
      throw new EngineException(
          Reason.TOO_LONG,
          "the prompt has %d tokens%s; %d fit, of which at least 1 is for the answer"
              .formatted(
                  prompt,
                  virtual == 0 ? "" : " after the adapter's " + virtual + " virtual ones",
                  capacity));
    }
    request.sampling().requireWithin(model.config().vocabSize());
    Decoder decoder = adapter == null ? model.decoder() : adapter.decoder();
    var text =
        new GeneratedText(
            request, listener, decoder, model.tokenizer().stream(), model.eosTokenIds(), capacity);
    synchronized (waiting) {
      if (closed) {
        throw new EngineException(Reason.CANCELLED, "the generator is closed");
      }
      waiting.add(text);
      waiting.notifyAll();
    }
    return text;
  }

  private void run() {
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      while (takeIn()) {
        turn();
      }
    } finally {
      endAll();
      cache.close();
    }
  }

  /** Fills free slots from the queue; waits when there is nothing to do. False: closed. */
  private boolean takeIn() {
    synchronized (waiting) {
      while (!closed && waiting.isEmpty() && Arrays.stream(slots).allMatch(t -> t == null)) {
        try {
          waiting.wait();
        } catch (InterruptedException interrupted) {
          closed = true;
        }
      }
      for (int i = 0; i < slots.length && !closed; i++) {
        if (slots[i] == null) {
          slots[i] = waiting.poll();
        }
      }
      return !closed;
    }
  }

  private void turn() {
    Map<Decoder, List<Integer>> reading = new LinkedHashMap<>();
    Map<Decoder, List<Integer>> writing = new LinkedHashMap<>();
    for (int i = 0; i < slots.length; i++) {
      GeneratedText text = slots[i];
      if (text == null) {
        continue;
      }
      if (text.endIfCancelled()) {
        slots[i] = null;
      } else {
        Map<Decoder, List<Integer>> group = text.readsPrompt() ? reading : writing;
        group.computeIfAbsent(text.decoder(), d -> new ArrayList<>()).add(i);
      }
    }
    // Apart, because the attention of rows as unequal as a prompt and a token would be padded.
    reading.forEach((decoder, rows) -> together(rows).forEach(part -> step(decoder, part)));
    writing.forEach(this::step);
  }

  /** Prompts that are read in one call; at least one in each. */
  private List<List<Integer>> together(List<Integer> rows) {
    List<List<Integer>> groups = new ArrayList<>();
    List<Integer> group = new ArrayList<>();
    int longest = 0;
    for (int row : rows) {
      longest = Math.max(longest, slots[row].nextInput(PROMPT_PART).length);
      if (!group.isEmpty() && longest * (group.size() + 1) > PROMPT_PLACES) {
        groups.add(group);
        group = new ArrayList<>();
        longest = slots[row].nextInput(PROMPT_PART).length;
      }
      group.add(row);
    }
    groups.add(group);
    return groups;
  }

  /** Moves texts of one adapter on, each by a part of its prompt or by a token. */
  private void step(Decoder decoder, List<Integer> rows) {
    int[] slot = rows.stream().sorted(Comparator.naturalOrder()).mapToInt(i -> i).toArray();
    int[][] tokens = new int[slot.length][];
    int[] positions = new int[slot.length];
    for (int r = 0; r < slot.length; r++) {
      positions[r] = slots[slot[r]].position();
      tokens[r] = slots[slot[r]].nextInput(PROMPT_PART);
    }
    try (NDManager scope = Torch.scope("generate")) {
      NDArray logits = decoder.step(scope, cache, slot, tokens, positions); // [rows, V]
      for (int r = 0; r < slot.length; r++) {
        if (slots[slot[r]].advance(tokens[r].length, Logits.row(scope, logits, r))) {
          slots[slot[r]] = null;
        }
      }
    } catch (RuntimeException failed) {
      for (int s : slot) {
        if (slots[s] != null) {
          slots[s].fail(failed);
          slots[s] = null;
        }
      }
    }
  }

  private void endAll() {
    List<GeneratedText> left = new ArrayList<>();
    synchronized (waiting) {
      closed = true;
      left.addAll(waiting);
      waiting.clear();
    }
    Arrays.stream(slots).filter(t -> t != null).forEach(left::add);
    Arrays.fill(slots, null);
    var ended = new EngineException(Reason.CANCELLED, "the generator is closed");
    left.forEach(text -> text.fail(ended));
  }

  /** Ends every text and waits for the thread. The model stays open. */
  @Override
  public void close() {
    synchronized (waiting) {
      closed = true;
      waiting.notifyAll();
    }
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
