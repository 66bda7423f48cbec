package io.attune.launcher.local;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Says, in a data folder, which issuer its platform has, so that {@code attune token} asks the
 * right one.
 */
record IssuerFile(IssuerKind kind, String url) {

  void write(Path dataFolder) {
    String line = kind.name().toLowerCase(Locale.ROOT) + " " + url + "\n";
    Secrets.write(file(dataFolder), line.getBytes(StandardCharsets.UTF_8));
  }

  static IssuerFile read(Path dataFolder) {
    byte[] content = Secrets.readOrNull(file(dataFolder));
    if (content == null) {
      throw new LauncherException(
          "no launcher has run on "
              + dataFolder.toAbsolutePath()
              + ": start `./attune up` or `./attune demo`, or name its folder with --data DIR");
    }
    String[] words = new String(content, StandardCharsets.UTF_8).strip().split(" ", 2);
    for (IssuerKind kind : IssuerKind.values()) {
      if (words.length == 2 && words[0].equals(kind.name().toLowerCase(Locale.ROOT))) {
        return new IssuerFile(kind, words[1]);
      }
    }
    throw new LauncherException(
        file(dataFolder) + " names no issuer: start `./attune up` again, which writes it");
  }

  private static Path file(Path dataFolder) {
    return dataFolder.resolve("issuer/current");
  }
}
