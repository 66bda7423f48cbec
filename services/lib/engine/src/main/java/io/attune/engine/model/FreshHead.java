package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorInfo;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.tensor.Seed;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A checkpoint of an encoder, completed with layers of the head that it lacks, drawn as
 * transformers draws them: the start of training for a task.
 */
public final class FreshHead implements TensorReader {
  private final TensorReader file;
  private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
  private final Map<String, ByteBuffer> drawn = new LinkedHashMap<>();

  private FreshHead(TensorReader file) {
    this.file = file;
  }

  /** Layers of the model's head whose weights the file has not. */
  public static List<HeadLayer> missing(TensorReader file, EncoderModel model) {
    return model.head().stream()
        .filter(layer -> !file.has(Weights.storedName(file, layer.linear().weight(), model)))
        .toList();
  }

  /**
   * @param file stays the caller's to close
   */
  public static FreshHead over(TensorReader file, EncoderModel model, long seed) {
    FreshHead head = new FreshHead(file);
    Random random = Seed.random(seed, "head");
    for (HeadLayer layer : missing(file, model)) {
      for (String name : List.of(layer.linear().weight(), layer.linear().biasName())) {
        Shape shape = model.parameters().get(name);
        int size = Math.toIntExact(shape.size());
        int rows = Math.toIntExact(shape.get(0));
        float[] values = model.initial(name).draw(size, rows, random);
        head.put(name, shape, values);
      }
    }
    return head;
  }

  private void put(String name, Shape shape, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(values.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    infos.put(name, new TensorInfo(name, TensorType.F32, shape.getShape(), 0, bytes.capacity()));
    drawn.put(name, bytes.asReadOnlyBuffer());
  }

  @Override
  public Set<String> names() {
    Set<String> names = new LinkedHashSet<>(file.names());
    names.addAll(infos.keySet());
    return names;
  }

  @Override
  public TensorInfo info(String name) {
    return infos.containsKey(name) ? infos.get(name) : file.info(name);
  }

  @Override
  public ByteBuffer data(String name) {
    return drawn.containsKey(name) ? drawn.get(name).duplicate() : file.data(name);
  }

  @Override
  public List<ByteBuffer> segments(String name) {
    List<ByteBuffer> own = new ArrayList<>();
    if (drawn.containsKey(name)) {
      own.add(drawn.get(name).duplicate());
      return own;
    }
    return file.segments(name);
  }

  @Override
  public void read(String name, long position, ByteBuffer into) {
    if (drawn.containsKey(name)) {
      into.put(drawn.get(name).slice((int) position, into.remaining()));
    } else {
      file.read(name, position, into);
    }
  }

  @Override
  public Map<String, String> metadata() {
    return file.metadata();
  }

  @Override
  public String source() {
    return file.source();
  }

  @Override
  public void close() {
    // The file is the caller's.
  }
}
