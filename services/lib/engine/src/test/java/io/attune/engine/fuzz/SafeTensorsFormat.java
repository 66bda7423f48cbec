package io.attune.engine.fuzz;

import ai.djl.ndarray.NDManager;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** {@code *.safetensors}: header, and every tensor as an array. */
public final class SafeTensorsFormat implements Format {
  private static final Set<TensorType> FLOATS =
      Set.of(TensorType.F16, TensorType.BF16, TensorType.F32, TensorType.F64);

  @Override
  public String name() {
    return "safetensors";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    return List.of(
        file(
            "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                + "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]},"
                + "\"c\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[32,34]},"
                + "\"d\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[34,42]}}",
            42),
        Files.readAllBytes(Golden.path("adapters/lora/adapter_model.safetensors")));
  }

  @Override
  public void read(byte[] bytes, Path folder) throws IOException {
    Path path = folder.resolve("fuzz.safetensors");
    Files.write(path, bytes);
    try (SafeTensors file = SafeTensors.open(path);
        NDManager scope = Torch.scope("fuzz")) {
      for (String name : file.names()) {
        file.segments(name);
        if (FLOATS.contains(file.info(name).type())) {
          TensorArrays.readFloat(file, name, scope);
        }
      }
    }
  }

  /** Edits the header, and states its length truly. */
  @Override
  public byte[] edit(byte[] file, Random random) {
    return editHeader(file, random);
  }

  /** Edits the JSON header of a well-formed safetensors file. */
  public static byte[] editHeader(byte[] file, Random random) {
    int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] header = JsonEdits.edit(Arrays.copyOfRange(file, 8, 8 + length), random);
    return ByteBuffer.allocate(file.length - length + header.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(file, 8 + length, file.length - 8 - length)
        .array();
  }

  private static byte[] file(String header, int data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }
}
