package io.attune.engine;

import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.DecoderNetwork;
import java.util.concurrent.atomic.AtomicReference;

/** An adapter bound to its base model: immutable, usable by any number of requests at once. */
public final class LoadedAdapter implements AutoCloseable {
  private final Adapter adapter;
  private final DecoderNetwork network;
  private final AtomicReference<Decoder> decoder = new AtomicReference<>();

  LoadedAdapter(Adapter adapter, DecoderNetwork network) {
    this.adapter = adapter;
    this.network = network;
  }

  Adapter adapter() {
    return adapter;
  }

  DecoderNetwork network() {
    return network;
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
    adapter.close();
  }
}
