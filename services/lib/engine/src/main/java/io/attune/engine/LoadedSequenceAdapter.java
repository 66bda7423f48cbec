package io.attune.engine;

import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.EncoderDecoderNetwork;
import io.attune.engine.model.MemoryDecoder;
import java.util.concurrent.atomic.AtomicReference;

/** An adapter bound to its encoder-decoder: immutable, usable by any number of requests at once. */
public final class LoadedSequenceAdapter implements AutoCloseable {
  private final Adapter adapter;
  private final EncoderDecoderNetwork network;
  private final AtomicReference<MemoryDecoder> decoder = new AtomicReference<>();

  LoadedSequenceAdapter(Adapter adapter, EncoderDecoderNetwork network) {
    this.adapter = adapter;
    this.network = network;
  }

  Adapter adapter() {
    return adapter;
  }

  EncoderDecoderNetwork network() {
    return network;
  }

  /** For generation inside the engine; made at its first use. */
  public synchronized MemoryDecoder decoder() {
    if (decoder.get() == null) {
      decoder.set(network.decoder());
    }
    return decoder.get();
  }

  /** To be called after the last use ended: memory is freed at once. */
  @Override
  public synchronized void close() {
    MemoryDecoder made = decoder.getAndSet(null);
    if (made != null) {
      made.close();
    }
    adapter.close();
  }
}
