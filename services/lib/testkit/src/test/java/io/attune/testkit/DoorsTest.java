package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DoorsTest {

  private static final String ROUTE = "GET /v1/things/{id}";
  private static final String METHOD = "things.v1.ThingService/GetThing";
  private static final Doors DECLARED =
      Doors.parse(
          """
          # A thing.
          GET  /v1/things/{id}                  viewer
          POST /v1/things                       trainer,operator -

          RPC  things.v1.ThingService/GetThing  viewer {"id": "{id}"}
          """);

  @Test
  void aLineNamesADoorItsRolesAndARequestForNothing() {
    assertThat(DECLARED.routes()).containsExactly(ROUTE, "POST /v1/things");
    assertThat(DECLARED.methods()).containsExactly(METHOD);
    assertThat(DECLARED.all().get(1).roles()).containsExactlyInAnyOrder("trainer", "operator");
    assertThat(DECLARED.all().get(2).request()).isEqualTo("{\"id\": \"{id}\"}");
    assertThat(DECLARED.all())
        .extracting(Doors.Door::leadsToOneThing)
        .containsExactly(true, false, true);
  }

  @Test
  void aLineWithoutRolesIsNone() {
    assertThatThrownBy(() -> Doors.parse("GET /v1/things"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("GET /v1/things");
  }

  @Test
  void aDoorSaysWhetherItLeadsToAThing() {
    assertThatThrownBy(() -> Doors.parse("POST /v1/things trainer"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("one thing of somebody's");
    assertThatThrownBy(() -> Doors.parse("RPC things.v1.ThingService/GetThing viewer"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Doors.parse("POST /v1/ask rater {\"line\": \"{line}\"}").all())
        .allMatch(Doors.Door::leadsToOneThing);
  }

  @Test
  void namesOfThingsAreFilledIn() {
    String request = "{\"id\": \"{id}\", \"version\": {version}}";

    assertThat(DoorWalk.filled(request, Map.of("id", "mine")))
        .isEqualTo("{\"id\": \"mine\", \"version\": 999999}");
  }

  @Test
  void theWalkNoticesADoorThatIsNotDeclared() {
    DoorWalk walk = new DoorWalk(DECLARED, null, null);
    Set<String> routes = Set.of(ROUTE, "POST /v1/things");

    assertThatCode(() -> walk.everyDoorIsDeclared(routes, Set.of(METHOD)))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                walk.everyDoorIsDeclared(
                    Set.of(ROUTE, "POST /v1/things", "GET /v1/secrets"), Set.of(METHOD)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("GET /v1/secrets");
    assertThatThrownBy(() -> walk.everyDoorIsDeclared(routes, Set.of(METHOD, "a.B/Leak")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("a.B/Leak");
    assertThatThrownBy(() -> walk.everyDoorIsDeclared(Set.of(ROUTE), Set.of(METHOD)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("POST /v1/things");
  }
}
