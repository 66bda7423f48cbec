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
 * POST /v1/snapshots                                  trainer  -
 * GET  /v1/snapshots/{id}                             viewer
 * RPC  attune.training.v1.TrainingService/GetJob      viewer   {"id": "{id}"}
 * </pre>
 *
 * <p>A route whose path names a thing, and a route or method with a request in JSON after its
 * roles, lead to something that belongs to somebody: these are the doors at which a thing that is
 * not there, or is another tenant's, must look the same. The names in braces stand for the thing. A
 * door that leads to nothing of the sort says so with a dash; one that says neither is an error.
 */
public record Doors(List<Door> all) {

  private static final String METHOD = "RPC";
  private static final String NO_THING = "-";

  public Doors {
    all = List.copyOf(all);
  }

  /**
   * A door.
   *
   * @param name "POST /v1/feedback" of a route, the full name of a gRPC method
   * @param roles that open it
   * @param request JSON of a request for a thing, whose names are in braces; empty where the path
   *     says it, or the door leads to no single thing
   */
  public record Door(boolean isMethod, String name, Set<String> roles, String request) {
    public Door {
      roles = Set.copyOf(roles);
    }

    /** Whether it leads to one thing of somebody's. */
    public boolean leadsToOneThing() {
      return !request.isEmpty() || name.contains("{");
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
    if (words.length < 4 && (isMethod || !words[1].contains("{"))) {
      throw new IllegalArgumentException(
          "say with a request or a dash whether it leads to one thing of somebody's: " + line);
    }
    Set<String> roles = Arrays.stream(words[2].split(",")).collect(Collectors.toSet());
    return new Door(
        isMethod,
        isMethod ? words[1] : words[0] + " " + words[1],
        roles,
        words.length < 4 || words[3].equals(NO_THING) ? "" : words[3]);
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
