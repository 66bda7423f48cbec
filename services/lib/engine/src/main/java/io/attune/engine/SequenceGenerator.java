package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.generate.Logits;
import io.attune.engine.generate.TokenConstraints;
import io.attune.engine.model.KvCache;
import io.attune.engine.model.MemoryCache;
import io.attune.engine.model.MemoryDecoder;
import io.attune.engine.tensor.Torch;

/**
 * Writes what an encoder-decoder makes of a text, token by token, greedily or sampled. Thread-safe:
 * each text has caches of its own, so several can be written side by side.
 */
public final class SequenceGenerator {
  private static final int[] FIRST = {0};

  private final SequenceToSequence model;

  public SequenceGenerator(SequenceToSequence model) {
    this.model = model;
  }

  /**
   * Writes one text on the calling thread; failures go to the listener.
   *
   * @param cancel asked before each token
   * @throws EngineException TOO_LONG if the source has more tokens than the model has positions
   */
  public void generate(SequenceRequest request, GenerationListener listener, CancelSignal cancel) {
    model.requireFits(request.source().length, "the source");
    TokenConstraints constraints = request.constraints();
    int[] start = {model.architecture().decoderStartTokenId()};
    GeneratedText text =
        new GeneratedText(
            new GenerationRequest(start, null, request.sampling()),
            listener,
            null,
            model.tokenizer().stream(),
            constraints.eosTokenIds(),
            constraints.maxLength() - 1);
    MemoryDecoder decoder =
        request.adapter() == null ? model.decoder() : request.adapter().decoder();
    try (Torch.GradMode mode = Torch.gradMode(false);
        MemoryCache memory = decoder.newMemory(1, request.source().length);
        KvCache cache = decoder.newCache(1, constraints.maxLength())) {
      decoder.read(memory, 0, request.source());
      int[] written = new int[constraints.maxLength()];
      boolean ended = false;
      while (!ended) {
        if (cancel.isCancelled()) {
          text.cancel();
        }
        ended = text.endIfCancelled() || step(text, decoder, memory, cache, written, constraints);
      }
    } catch (RuntimeException failed) {
      text.fail(failed);
    }
  }

  /**
   * @param written the tokens so far, from the start token on
   * @return whether the text has ended
   */
  private static boolean step(
      GeneratedText text,
      MemoryDecoder decoder,
      MemoryCache memory,
      KvCache cache,
      int[] written,
      TokenConstraints constraints) {
    int position = text.position();
    int[][] tokens = {text.nextInput(1)};
    written[position] = tokens[0][0];
    try (NDManager scope = Torch.scope("generate")) {
      float[] logits =
          decoder
              .step(scope, cache, FIRST, memory, FIRST, tokens, new int[] {position})
              .toFloatArray();
      constraints.apply(logits, written, position + 1);
      NDArray allowed = scope.create(logits, new Shape(1, logits.length));
      return text.advance(1, Logits.row(scope, allowed, 0));
    }
  }
}
