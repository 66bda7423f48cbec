package io.attune.manifests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder in k8s/overlays, and what it renders to. */
public record Overlay(String name) {

  /** All there are. */
  public static List<Overlay> all() {
    try (Stream<Path> folders = Files.list(Project.root().resolve("k8s/overlays"))) {
      return folders
          .map(folder -> new Overlay(folder.getFileName().toString()))
          .sorted(Comparator.comparing(Overlay::name))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Path folder() {
    return Project.root().resolve("k8s/overlays").resolve(name);
  }

  /** Where its rendered form is kept. */
  public Path file() {
    return rendered().resolve(name + ".yaml");
  }

  static Path rendered() {
    return Project.root().resolve("deploy/manifests/src/test/resources/rendered");
  }

  public String text() {
    try {
      return Files.readString(file());
    } catch (IOException e) {
      throw new UncheckedIOException(file() + " cannot be read: run deploy/manifests/render.sh", e);
    }
  }

  public Manifests manifests() {
    return Manifests.parse(text());
  }

  @Override
  public String toString() {
    return name;
  }
}
