package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file of a model as the hub lists it.
 *
 * @param path below the model's folder
 * @param size in bytes
 * @param digest SHA-256 of the content (64 digits) for files in large file storage, else Git's
 *     SHA-1 of the blob (40 digits)
 */
record HubFile(String path, long size, String digest) {
  private static final int SHA256_DIGITS = 64;

  boolean isWeights() {
    return path.endsWith(".safetensors");
  }

  /** Whether a file on disk has this content. */
  boolean matches(Path file) {
    try {
      return Files.isRegularFile(file) && Files.size(file) == size && digest(file).equals(digest);
    } catch (IOException e) {
      throw new LauncherException("cannot read " + file + ": " + e, e);
    }
  }

  /** The digest, of the listed kind, that a file on disk has. */
  String digest(Path file) throws IOException {
    MessageDigest algorithm = algorithm();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        algorithm.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(algorithm.digest());
  }

  private MessageDigest algorithm() {
    try {
      if (digest.length() == SHA256_DIGITS) {
        return MessageDigest.getInstance("SHA-256");
      }
      MessageDigest blob = MessageDigest.getInstance("SHA-1");
      blob.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
      return blob;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256 and SHA-1", e);
    }
  }
}
