package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.Logits;
import io.attune.engine.generate.SampledToken;
import io.attune.engine.generate.Sampler;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.StopRule;
import io.attune.engine.model.Decoder;
import io.attune.engine.token.TokenStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One text in a {@link TextGenerator}: where it is, and what it tells its listener. */
final class GeneratedText implements GenerationHandle {
  private static final Logger LOG = LoggerFactory.getLogger(GeneratedText.class);

  /** What the model reads first: the prompt, after the adapter's virtual tokens. */
  private int[] input;

  private final SamplingParameters sampling;
  private final GenerationListener listener;
  private final @Nullable Decoder decoder;
  private final TokenStream stream;
  private final Set<Integer> endings;
  private final int capacity;
  private final Sampler sampler;
  private final StopRule stop;
  private final StringBuilder text = new StringBuilder();
  private volatile boolean cancelled;

  /** Tokens that the cache holds. */
  private int position;

  private final List<Integer> answer = new ArrayList<>();
  private int written;
  private int last;

  /**
   * @param decoder what {@link #decoder} answers; null where the caller knows what runs the text
   */
  GeneratedText(
      GenerationRequest request,
      GenerationListener listener,
      @Nullable Decoder decoder,
      TokenStream stream,
      Set<Integer> endings,
      int capacity) {
    int[] prompt = request.promptTokens();
    LoadedAdapter adapter = request.adapter();
    this.input = adapter == null ? prompt : adapter.withVirtualTokens(prompt);
    this.sampling = request.sampling();
    this.listener = listener;
    this.decoder = decoder;
    this.stream = stream;
    this.endings = endings;
    this.capacity = capacity;
    this.sampler = new Sampler(sampling, prompt);
    this.stop = new StopRule(sampling.stop());
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  @Nullable Decoder decoder() {
    return decoder;
  }

  int position() {
    return position;
  }

  boolean readsPrompt() {
    return position < input.length;
  }

  /** What the model reads next: a part of the prompt, or the last token. */
  int[] nextInput(int part) {
    if (!readsPrompt()) {
      return new int[] {last};
    }
    int end = decoder != null && decoder.readsPromptsWhole() ? input.length : position + part;
    return Arrays.copyOfRange(input, position, Math.min(input.length, end));
  }

  /** Past the model's turning point the whole text is a prompt again. */
  private void rereadIfTurned() {
    if (decoder != null && position == decoder.rereadAfter()) {
      IntStream own = answer.stream().mapToInt(i -> i);
      input = IntStream.concat(Arrays.stream(input), own).toArray();
      position = 0;
    }
  }

  /**
   * Takes what the model said after reading.
   *
   * @param read how many tokens it read
   * @param logits after the last of them
   * @return whether the text has ended
   */
  boolean advance(int read, Logits logits) {
    position += read;
    if (readsPrompt()) {
      return false;
    }
    try {
      return write(logits);
    } catch (RuntimeException thrown) {
      // Logits without a number, or a listener that throws, end their own text only.
      LOG.error("A text failed", thrown);
      fail(thrown);
      return true;
    }
  }

  private boolean write(Logits logits) {
    SampledToken chosen = sampler.next(logits);
    last = chosen.id();
    written++;
    answer.add(last);
    boolean ends = endings.contains(last);
    boolean full = written == sampling.maxNewTokens() || position + 1 > capacity;
    String piece = ends ? "" : stop.push(stream.push(last));
    if (!stop.stopped() && (ends || full)) {
      piece += stop.push(stream.finish());
      piece += stop.finish();
    }
    text.append(piece);
    listener.onToken(new GeneratedToken(chosen.id(), piece, chosen.logProbability(), chosen.top()));
    if (ends || stop.stopped() || full) {
      listener.onComplete(new CompletedGeneration(text.toString(), ends || stop.stopped()));
      return true;
    }
    rereadIfTurned();
    return false;
  }

  boolean endIfCancelled() {
    if (!cancelled) {
      return false;
    }
    fail(new EngineException(Reason.CANCELLED, "the generation was cancelled"));
    return true;
  }

  void fail(RuntimeException reason) {
    EngineException failure =
        reason instanceof EngineException known
            ? known
            : new EngineException(Reason.IO, "the model could not be run", reason);
    try {
      listener.onFailure(failure);
    } catch (RuntimeException thrown) {
      LOG.error("A generation listener failed", thrown);
    }
  }
}
