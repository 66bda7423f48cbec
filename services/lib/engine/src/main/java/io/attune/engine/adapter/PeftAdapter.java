package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What every kind has: a configuration, tensors, and weights that it replaces whole. */
abstract class PeftAdapter implements Adapter {
  final AdapterConfig config;
  final BaseModel base;
  final AdapterTensors tensors = new AdapterTensors();

  PeftAdapter(AdapterConfig config, BaseModel base) {
    this.config = config;
    this.base = base;
  }

  /** Reads the weights of an adapter that PEFT wrote. Called once, before anything else. */
  abstract void read(TensorReader file);

  /** Draws the weights of a new adapter, as PEFT would. Called once, instead of {@link #read}. */
  abstract void initialise(Start start);

  @Override
  public @Nullable NDArray weight(String name) {
    return tensors.get(name);
  }

  @Override
  public Map<String, NDArray> parameters() {
    return tensors.trained();
  }

  @Override
  public ObjectNode config() {
    return config.json().deepCopy();
  }

  @Override
  public List<TensorData> tensors() {
    return tensors.write();
  }

  @Override
  public void close() {
    tensors.close();
  }
}
