package io.attune.engine.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files with any header, any stated length and any data. */
final class HostileFiles {
  private HostileFiles() {}

  static ByteBuffer prefix(long length) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
  }

  static Path write(Path path, String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return write(path, json.length, json, dataBytes);
  }

  static Path write(Path path, long statedLength, byte[] header, int dataBytes) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + dataBytes);
    file.put(prefix(statedLength).flip()).put(header);
    return Files.write(path, file.array());
  }
}
