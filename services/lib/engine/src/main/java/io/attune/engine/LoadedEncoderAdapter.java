package io.attune.engine;

import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderNetwork;
import io.attune.engine.model.EncoderTask;

/** An adapter bound to its encoder: immutable, usable by any number of requests at once. */
public final class LoadedEncoderAdapter implements AutoCloseable {
  private final Adapter adapter;
  private final EncoderNetwork network;

  LoadedEncoderAdapter(Adapter adapter, EncoderNetwork network) {
    this.adapter = adapter;
    this.network = network;
  }

  Adapter adapter() {
    return adapter;
  }

  EncoderNetwork network() {
    return network;
  }

  /** What the model is for with this adapter. */
  public EncoderTask task() {
    return network.model().task();
  }

  /** The labels of its head; to be asked only where it has one. */
  public ClassLabels labels() {
    return network.model().labels();
  }

  /** To be called after the last use ended: memory is freed at once. */
  @Override
  public void close() {
    adapter.close();
  }
}
