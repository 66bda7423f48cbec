package io.attune.engine.checkpoint;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tensors by name, from one safetensors file or from the shards of a folder. Thread-safe. */
public interface TensorReader extends AutoCloseable {

  /** In the order of the file. */
  Set<String> names();

  default boolean has(String name) {
    return names().contains(name);
  }

  /** Refuses a name that the file does not hold, naming the file. */
  TensorInfo info(String name);

  /**
   * The bytes of a tensor of less than 2 GiB: little-endian, read-only, direct, mapped from the
   * file, so that only what is touched is read. Stays valid after {@link #close()}.
   */
  ByteBuffer data(String name);

  /** As {@link #data}, for tensors of any size: consecutive parts of at most 1 GiB each. */
  List<ByteBuffer> segments(String name);

  /**
   * Fills a buffer with the bytes of a tensor from {@code position} on, read rather than mapped:
   * what is read once only then takes no memory of the process.
   */
  void read(String name, long position, ByteBuffer into);

  /** The header's free text, such as {@code format: pt}. */
  Map<String, String> metadata();

  /** Where the tensors come from, for messages. */
  String source();

  @Override
  void close();
}
