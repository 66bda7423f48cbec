package io.attune.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.checkpoint.SafeTensors;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reference results in {@code src/test/resources/golden}, made with transformers 5.18.0, peft
 * 0.21.0, trl 1.13.0 and torch 2.13.0 on CPU in float32.
 */
public final class Golden {
  private Golden() {}

  public static Path path(String name) {
    try {
      return new File(Golden.class.getResource("/golden/" + name).toURI()).toPath();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  public static JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(path(name).toFile());
  }

  public static float[] tensor(String file, String name) {
    return tensor(path(file), name);
  }

  public static float[] tensor(Path file, String name) {
    try (SafeTensors tensors = SafeTensors.open(file)) {
      ByteBuffer data = tensors.data(name).order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[data.remaining() / Float.BYTES];
      data.asFloatBuffer().get(values);
      return values;
    }
  }

  public static int[] ints(JsonNode array) {
    int[] result = new int[array.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = array.get(i).asInt();
    }
    return result;
  }

  /** The rows of {@code input_ids}, cut to where {@code attention_mask} is 1. */
  public static List<int[]> sequences(JsonNode expected) {
    List<int[]> result = new ArrayList<>();
    for (int row = 0; row < expected.get("input_ids").size(); row++) {
      int length = 0;
      for (JsonNode bit : expected.get("attention_mask").get(row)) {
        length += bit.asInt();
      }
      result.add(java.util.Arrays.copyOf(ints(expected.get("input_ids").get(row)), length));
    }
    return result;
  }
}
