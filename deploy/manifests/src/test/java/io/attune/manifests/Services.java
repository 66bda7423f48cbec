package io.attune.manifests;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The services as the repository has them. */
public final class Services {
  /** Their names, which are those of their folders, Deployments and Kafka users. */
  public static final List<String> NAMES = List.of("ingestion", "reward", "serving", "training");

  private Services() {}

  /** A service's application.properties. */
  public static Properties properties(String service) {
    Properties properties = new Properties();
    try (Reader file =
        Files.newBufferedReader(main(service).resolve("resources/application.properties"))) {
      properties.load(file);
      return properties;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of all of a service's Java sources, one after the other. */
  public static String sources(String service) {
    try (Stream<Path> files = Files.walk(main(service).resolve("java"))) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(Services::read)
          .collect(Collectors.joining("\n"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path main(String service) {
    return Project.root().resolve("services/" + service + "/src/main");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
