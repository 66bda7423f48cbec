package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.Doors.Door;
import io.grpc.Status;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.assertj.core.api.SoftAssertions;

/** Walks along every declared door of a running service and tries to get in. */
public final class DoorWalk {

  /** All roles that there are. */
  public static final Set<String> ALL_ROLES =
      Set.of("rater", "data-engineer", "trainer", "operator", "viewer");

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
    SoftAssertions all = new SoftAssertions();
    for (Door door : declared.all()) {
      if (door.leadsToOneThing()) {
        String token = tokens.apply(door.roles());
        if (door.isMethod()) {
          all.assertThat(grpc.knock(door.name(), token, door.ofNothing()))
              .as(door.name())
              .isEqualTo(Status.Code.NOT_FOUND);
        } else {
          all.assertThat(rest.knock(door.name(), token)).as(door.name()).isEqualTo(404);
        }
      }
    }
    all.assertAll();
  }

  private static Set<String> without(Set<String> roles) {
    Set<String> others = new TreeSet<>(ALL_ROLES);
    others.removeAll(roles);
    return others;
  }
}
