package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.Doors.Door;
import io.grpc.Status;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.assertj.core.api.SoftAssertions;

/** Walks along every declared door of a running service and tries to get in. */
public final class DoorWalk {

  /** All roles that there are. */
  public static final Set<String> ALL_ROLES =
      Set.of("rater", "data-engineer", "trainer", "operator", "viewer");

  /** Of nothing, in the form that ids have. */
  private static final String NO_ID = "01900000-0000-7000-8000-000000000000";

  /** A number, so that it is a version as well as a name. */
  private static final String NO_NUMBER = "999999";

  private static final Pattern NAME = Pattern.compile("\\{([a-z]+)}");

  private static final Set<Status.Code> REFUSED =
      Set.of(
          Status.Code.NOT_FOUND,
          Status.Code.UNAUTHENTICATED,
          Status.Code.PERMISSION_DENIED,
          Status.Code.UNIMPLEMENTED,
          Status.Code.UNKNOWN,
          Status.Code.INTERNAL,
          Status.Code.DEADLINE_EXCEEDED);

  private final Doors declared;
  private final RestDoors rest;
  private final GrpcDoors grpc;

  public DoorWalk(Doors declared, RestDoors rest, GrpcDoors grpc) {
    this.declared = declared;
    this.rest = rest;
    this.grpc = grpc;
  }

  /** Fails when the service has a door that is not declared, or lacks one that is. */
  public void everyDoorIsDeclared(Set<String> routesFound, Set<String> methodsFound) {
    assertThat(new TreeSet<>(routesFound)).as("routes").isEqualTo(declared.routes());
    assertThat(new TreeSet<>(methodsFound)).as("methods").isEqualTo(declared.methods());
  }

  /**
   * No door opens for a token that is not valid.
   *
   * @param tokens by why each is not valid; null is no token at all
   */
  public void invalidTokensAreRefused(Map<String, String> tokens) {
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      tokens.forEach(
          (why, token) -> {
            if (door.isMethod()) {
              all.assertThat(grpc.knock(door.name(), token))
                  .as("%s, %s", door.name(), why)
                  .isEqualTo(Status.Code.UNAUTHENTICATED);
            } else {
              all.assertThat(rest.knock(door.name(), token))
                  .as("%s, %s", door.name(), why)
                  .isEqualTo(401);
            }
          });
    }
    all.assertAll();
  }

  /**
   * No door opens for the roles that it does not name, also where it leads to nothing.
   *
   * @param tokens a valid token with these roles
   */
  public void otherRolesAreRefused(Function<Set<String>, String> tokens) {
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      all.assertThat(door.roles()).as(door.name()).isNotEmpty().isSubsetOf(ALL_ROLES);
      String token = tokens.apply(without(door.roles()));
      if (door.isMethod()) {
        all.assertThat(grpc.knock(door.name(), token))
            .as(door.name())
            .isEqualTo(Status.Code.PERMISSION_DENIED);
      } else {
        all.assertThat(rest.knock(door.name(), token)).as(door.name()).isEqualTo(403);
      }
    }
    all.assertAll();
  }

  /**
   * Every door opens for each of its roles, and behind it is either something or a word about what
   * is wrong with the request.
   */
  public void doorsOpenForTheirRoles(Function<Set<String>, String> tokens) {
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      for (String role : door.roles()) {
        String token = tokens.apply(Set.of(role));
        if (door.isMethod()) {
          all.assertThat(grpc.knock(door.name(), token))
              .as("%s, %s", door.name(), role)
              .isNotIn(
                  Status.Code.UNAUTHENTICATED,
                  Status.Code.PERMISSION_DENIED,
                  Status.Code.UNIMPLEMENTED,
                  Status.Code.UNKNOWN,
                  Status.Code.INTERNAL);
        } else {
          all.assertThat(rest.knock(door.name(), token))
              .as("%s, %s", door.name(), role)
              .isNotIn(401, 403, 405, 500)
              // The thing that a path names need not exist; the path itself must.
              .satisfies(status -> assertThat(status == 404).isIn(false, door.leadsToOneThing()));
        }
      }
    }
    all.assertAll();
  }

  /** Doors that lead to one thing say NOT_FOUND of one that does not exist. */
  public void nothingIsNotFound(Function<Set<String>, String> tokens) {
    theseAreNotFound(Map.of(), tokens);
  }

  /**
   * Doors that lead to one thing say NOT_FOUND of one that is another tenant's, whatever the role,
   * and do not say so to its own tenant.
   *
   * @param things of the owner's, by the names that stand for them in {@link Doors}
   * @param strangers tokens of another tenant
   */
  public void anotherTenantsIsNotFound(
      Map<String, String> things,
      Function<Set<String>, String> owners,
      Function<Set<String>, String> strangers) {
    theseAreNotFound(things, strangers);
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      if (door.leadsToOneThing()) {
        String token = owners.apply(door.roles());
        if (door.isMethod()) {
          all.assertThat(grpc.knock(door.name(), token, filled(door.request(), things)))
              .as("%s, by its own tenant", door.name())
              .isNotIn(REFUSED);
        } else {
          all.assertThat(rest.knock(door.name(), token, things, filled(door.request(), things)))
              .as("%s, by its own tenant", door.name())
              .isNotIn(401, 403, 404, 500);
        }
      }
    }
    all.assertAll();
  }

  /**
   * Doors that lead to one thing say NOT_FOUND of these.
   *
   * @param things by the names that stand for them in {@link Doors}; of nothing where one is
   *     missing
   */
  public void theseAreNotFound(Map<String, String> things, Function<Set<String>, String> tokens) {
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      if (door.leadsToOneThing()) {
        String token = tokens.apply(door.roles());
        if (door.isMethod()) {
          all.assertThat(grpc.knock(door.name(), token, filled(door.request(), things)))
              .as(door.name())
              .isEqualTo(Status.Code.NOT_FOUND);
        } else {
          all.assertThat(rest.knock(door.name(), token, things, filled(door.request(), things)))
              .as(door.name())
              .isEqualTo(404);
        }
      }
    }
    all.assertAll();
  }

  /** A text with things in place of their names; where there is none, of nothing. */
  static String filled(String text, Map<String, String> things) {
    return NAME.matcher(text)
        .replaceAll(
            name ->
                things.getOrDefault(name.group(1), name.group(1).equals("id") ? NO_ID : NO_NUMBER));
  }

  private static Set<String> without(Set<String> roles) {
    Set<String> others = new TreeSet<>(ALL_ROLES);
    others.removeAll(roles);
    return others;
  }
}
