package io.attune.engine;

import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.DecoderNetwork;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/** An adapter bound to its base model: immutable, usable by any number of requests at once. */
public final class LoadedAdapter implements AutoCloseable {
  private final Adapter adapter;
  private final AdaptedWeights weights;
  private final DecoderNetwork network;
  private final AtomicReference<Decoder> decoder = new AtomicReference<>();

  LoadedAdapter(Adapter adapter, AdaptedWeights weights, DecoderNetwork network) {
    this.adapter = adapter;
    this.weights = weights;
    this.network = network;
  }

  Adapter adapter() {
    return adapter;
  }

  DecoderNetwork network() {
    return network;
  }

  /** Virtual tokens before each text, for which there are logits too; 0 for most kinds. */
  public int promptLength() {
    return adapter.promptLength();
  }

  /** Places that the adapter takes of a text's context. */
  public int virtualTokens() {
    return adapter.virtualTokens().length;
  }

  /** Ids with the adapter's virtual tokens before them. */
  int[] withVirtualTokens(int[] ids) {
    int[] virtual = adapter.virtualTokens();
    int[] all = Arrays.copyOf(virtual, virtual.length + ids.length);
    System.arraycopy(ids, 0, all, virtual.length, ids.length);
    return all;
  }

  /** For generation inside the engine; made at its first use. */
  public synchronized Decoder decoder() {
    if (decoder.get() == null) {
      decoder.set(network.decoder());
    }
    return decoder.get();
  }

  /** To be called after the last use ended: memory is freed at once. */
  @Override
  public synchronized void close() {
    Decoder made = decoder.getAndSet(null);
    if (made != null) {
      made.close();
    }
    weights.close();
    adapter.close();
  }
}
