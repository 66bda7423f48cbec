package io.attune.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The shards that a {@code model.safetensors.index.json} names, as one. */
final class ShardedTensors implements TensorReader {
  private static final long MAX_INDEX_BYTES = 64L << 20;
  private static final int MAX_SHARDS = 1000;

  private final Path index;
  private final Map<String, TensorReader> shards = new LinkedHashMap<>();
  private final Map<String, TensorReader> byTensor = new LinkedHashMap<>();

  ShardedTensors(Path index) {
    this.index = index;
    ObjectNode root = JsonFiles.readObject(index, MAX_INDEX_BYTES);
    JsonNode map = root.get("weight_map");
    if (map == null || !map.isObject()) {
      throw new EngineException(Reason.CORRUPT, index + " has no 'weight_map'");
    }
    boolean opened = false;
    try {
      for (Map.Entry<String, JsonNode> entry : map.properties()) {
        byTensor.put(entry.getKey(), shard(entry.getKey(), entry.getValue()));
      }
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  private TensorReader shard(String tensor, JsonNode file) {
    if (!file.isTextual()) {
      throw new EngineException(
          Reason.CORRUPT, index + ": '" + tensor + "' is not in a file beside the index: " + file);
    }
    String name = file.textValue();
    TensorReader shard = shards.computeIfAbsent(name, this::open);
    if (!shard.has(tensor)) {
      throw new EngineException(
          Reason.CORRUPT, index + " says that " + name + " holds '" + tensor + "'; it does not");
    }
    return shard;
  }

  /** Each shard keeps a file open: many more than models have would use up the process's. */
  private TensorReader open(String name) {
    if (shards.size() == MAX_SHARDS) {
      throw new EngineException(
          Reason.CORRUPT, index + " names more than " + MAX_SHARDS + " files, which no model has");
    }
    return SafeTensors.open(
        ModelFiles.find(index.toAbsolutePath().getParent(), name)
            .orElseThrow(
                () ->
                    new EngineException(
                        Reason.IO, index + " names " + name + ", which is not beside it")));
  }

  private TensorReader holder(String name) {
    TensorReader shard = byTensor.get(name);
    if (shard == null) {
      throw new EngineException(Reason.INCOMPATIBLE, index + " has no tensor '" + name + "'");
    }
    return shard;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(byTensor.keySet());
  }

  @Override
  public TensorInfo info(String name) {
    return holder(name).info(name);
  }

  @Override
  public ByteBuffer data(String name) {
    return holder(name).data(name);
  }

  @Override
  public List<ByteBuffer> segments(String name) {
    return holder(name).segments(name);
  }

  @Override
  public void read(String name, long position, ByteBuffer into) {
    holder(name).read(name, position, into);
  }

  @Override
  public Map<String, String> metadata() {
    return shards.isEmpty() ? Map.of() : shards.values().iterator().next().metadata();
  }

  @Override
  public String source() {
    return index.toString();
  }

  @Override
  public void close() {
    shards.values().forEach(TensorReader::close);
  }
}
