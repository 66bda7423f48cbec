package io.attune.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The doors that a service declares, in the file {@code doors.txt} of its test resources. A line
 * for each:
 *
 * <pre>
 * POST /v1/snapshots                                  trainer
 * GET  /v1/snapshots/{id}                             viewer
 * RPC  attune.training.v1.TrainingService/GetJob      viewer   {"id": "01900000-0000-7000-8000-000000000000"}
 * </pre>
 *
 * <p>A route whose path names a thing, and a method with a request in JSON after its roles, lead to
 * something that belongs to somebody: these are the doors at which a thing that is not there, or is
 * another tenant's, must look the same.
 */
public record Doors(List<Door> all) {

  private static final String METHOD = "RPC";

  public Doors {
    all = List.copyOf(all);
  }

  /**
   * A door.
   *
   * @param name "POST /v1/feedback" of a route, the full name of a gRPC method
   * @param roles that open it
   * @param ofNothing JSON of a request for a thing that does not exist; empty for routes, whose
   *     paths say it, and for methods that lead to no single thing
   */
  public record Door(boolean isMethod, String name, Set<String> roles, String ofNothing) {
    public Door {
      roles = Set.copyOf(roles);
    }

    /** Whether it leads to one thing of somebody's. */
    public boolean leadsToOneThing() {
      return isMethod ? !ofNothing.isEmpty() : name.contains("{");
    }
  }

  /** Of the service whose tests run. */
  public static Doors ofThisService() {
    try (InputStream file = Doors.class.getClassLoader().getResourceAsStream("doors.txt")) {
      if (file == null) {
        throw new IllegalStateException("src/test/resources/doors.txt is missing");
      }
      return parse(new String(file.readAllBytes(), UTF_8));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** Of a service by its name, from the checkout. */
  public static Doors of(Path home, String service) {
    try {
      return parse(
          Files.readString(home.resolve("services/" + service + "/src/test/resources/doors.txt")));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static Doors parse(String text) {
    List<Door> doors = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (!line.isBlank() && !line.startsWith("#")) {
        doors.add(door(line));
      }
    }
    return new Doors(doors);
  }

  private static Door door(String line) {
    String[] words = line.strip().split(" +", 4);
    if (words.length < 3) {
      throw new IllegalArgumentException("not a door, its name and its roles: " + line);
    }
    boolean isMethod = words[0].equals(METHOD);
    Set<String> roles = Arrays.stream(words[2].split(",")).collect(Collectors.toSet());
    return new Door(
        isMethod,
        isMethod ? words[1] : words[0] + " " + words[1],
        roles,
        words.length == 4 ? words[3] : "");
  }

  /** Names of the routes. */
  public Set<String> routes() {
    return names(false);
  }

  /** Names of the gRPC methods. */
  public Set<String> methods() {
    return names(true);
  }

  private Set<String> names(boolean methods) {
    return all.stream()
        .filter(door -> door.isMethod() == methods)
        .map(Door::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
