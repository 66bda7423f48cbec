package io.attune.manifests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaParameter;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Every setting that the services read when they start, as a variable of the environment is named:
 * those of their code, of Quarkus' extensions in them, and of Kafka's clients.
 */
final class Settings {
  private static final String MODEL = "META-INF/quarkus-config-doc/quarkus-config-model.json";

  private final Set<Pattern> names = new HashSet<>();

  private Settings() {}

  static Settings all() {
    Settings settings = new Settings();
    JavaClasses classes =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // Neither has settings: the generated contracts, and the engine, which is plain Java.
            .withImportOption(location -> !location.contains("/v1/"))
            .withImportOption(location -> !location.contains("/engine/"))
            .importPackages("io.attune");
    settings.addMappings(classes);
    settings.addProperties(classes);
    settings.addQuarkus();
    Stream.of(ConsumerConfig.configNames(), ProducerConfig.configNames())
        .flatMap(Set::stream)
        .forEach(name -> settings.add("kafka." + name));
    return settings;
  }

  /** Whether a variable is one of them. */
  boolean contains(String variable) {
    return names.stream().anyMatch(name -> name.matcher(variable).matches());
  }

  private void addMappings(JavaClasses classes) {
    classes.stream()
        .filter(type -> type.isAnnotatedWith(ConfigMapping.class))
        .map(type -> ConfigMappings.ConfigClass.configClass(type.reflect()))
        .flatMap(mapping -> ConfigMappings.getProperties(mapping).keySet().stream())
        .forEach(this::add);
  }

  private void addProperties(JavaClasses classes) {
    classes.stream()
        .flatMap(type -> type.getCodeUnits().stream())
        .map(JavaCodeUnit::getParameters)
        .flatMap(List::stream)
        .filter(parameter -> parameter.isAnnotatedWith(ConfigProperty.class))
        .map((JavaParameter parameter) -> parameter.getAnnotationOfType(ConfigProperty.class))
        .forEach(property -> add(property.name()));
    classes.stream()
        .flatMap(type -> type.getFields().stream())
        .filter(field -> field.isAnnotatedWith(ConfigProperty.class))
        .map((JavaField field) -> field.getAnnotationOfType(ConfigProperty.class))
        .forEach(property -> add(property.name()));
  }

  /** From the model that each extension brings for Quarkus' documentation. */
  private void addQuarkus() {
    try {
      for (URL model : Collections.list(Settings.class.getClassLoader().getResources(MODEL))) {
        try (InputStream in = model.openStream()) {
          addRuntime(new ObjectMapper().readTree(in));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void addRuntime(JsonNode node) {
    if (node.path("phase").asText().equals("RUN_TIME")) {
      addPath(node.path("path"));
      node.path("additionalPaths").forEach(this::addPath);
    }
    node.forEach(this::addRuntime);
  }

  private void addPath(JsonNode path) {
    String variable = path.path("environmentVariable").asText();
    if (!variable.isEmpty()) {
      names.add(Pattern.compile(variable.replaceAll("__[A-Z_]+__", "_.+_")));
    }
  }

  private void add(String property) {
    String variable =
        property.toUpperCase(Locale.ROOT).replaceAll("\\*", "\0").replaceAll("[^A-Z0-9\0]", "_");
    names.add(Pattern.compile(variable.replace("\0", ".+")));
  }
}
