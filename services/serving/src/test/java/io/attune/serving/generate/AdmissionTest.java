package io.attune.serving.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Admission.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class AdmissionTest {

  private final List<String> started = new ArrayList<>();

  @Test
  void waitersStartInOrderAsPlacesAreGivenBack() {
    var admission = new Admission(2, 2, 1, AdmissionTest::limit);
    Admission.Place a = enter(admission, Kind.CALLER, "a");
    Admission.Place b = enter(admission, Kind.CALLER, "b");
    enter(admission, Kind.CALLER, "c");
    enter(admission, Kind.CALLER, "d");
    assertThat(started).containsExactly("a", "b");

    b.leave();
    b.leave();
    assertThat(started).containsExactly("a", "b", "c");

    a.leave();
    assertThat(started).containsExactly("a", "b", "c", "d");
    assertThat(admission.running()).isEqualTo(2);
    assertThat(admission.waiting()).isZero();
  }

  @Test
  void callersBeyondTheQueueAreRefusedAllOrNone() {
    var admission = new Admission(1, 2, 1, AdmissionTest::limit);
    enter(admission, Kind.CALLER, "a");
    enter(admission, Kind.CALLER, "b");

    assertThatThrownBy(
            () -> admission.enter(Tenant.DEFAULT, Kind.CALLER, List.of(start("c"), start("d"))))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_OVERLOADED));
    assertThat(admission.waiting()).isEqualTo(1);

    enter(admission, Kind.CALLER, "e");
    assertThat(admission.waiting()).isEqualTo(2);
  }

  @Test
  void whoLeavesTheQueueNeverStartsAndMakesRoom() {
    var admission = new Admission(1, 1, 1, AdmissionTest::limit);
    Admission.Place a = enter(admission, Kind.CALLER, "a");
    Admission.Place b = enter(admission, Kind.CALLER, "b");

    b.leave();
    enter(admission, Kind.CALLER, "c");
    a.leave();

    assertThat(started).containsExactly("a", "c");
  }

  @Test
  void rolloutsKeepToTheirShareAndWaitBehindCallers() {
    var admission = new Admission(4, 4, 0.5, AdmissionTest::limit);
    List<Admission.Place> rollouts =
        admission.enter(
            Tenant.DEFAULT,
            Kind.ROLLOUT,
            List.of(start("r1"), start("r2"), start("r3"), start("r4")));
    assertThat(started).containsExactly("r1", "r2");

    enter(admission, Kind.CALLER, "a");
    enter(admission, Kind.CALLER, "b");
    enter(admission, Kind.CALLER, "c");
    assertThat(started).containsExactly("r1", "r2", "a", "b");

    rollouts.get(0).leave();
    assertThat(started).endsWith("c");
    rollouts.get(1).leave();
    assertThat(started).endsWith("c", "r3");
  }

  @Test
  void rolloutsDoNotTakeCallersRoom() {
    var admission = new Admission(1, 1, 1, AdmissionTest::limit);
    admission.enter(Tenant.DEFAULT, Kind.ROLLOUT, List.of(start("r1"), start("r2"), start("r3")));

    enter(admission, Kind.CALLER, "a");

    assertThat(admission.waiting()).isEqualTo(1);
  }

  @Test
  void drainingRefusesNewcomersAndOpensWhenTheLastHasEnded() {
    var admission = new Admission(1, 1, 1, AdmissionTest::limit);
    Admission.Place a = enter(admission, Kind.CALLER, "a");
    Admission.Place b = enter(admission, Kind.CALLER, "b");

    admission.drain();
    assertThatThrownBy(() -> enter(admission, Kind.CALLER, "c"))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_UNAVAILABLE));
    a.leave();
    assertThat(admission.drained().getCount()).isEqualTo(1);
    b.leave();

    assertThat(started).containsExactly("a", "b");
    assertThat(admission.drained().getCount()).isZero();
  }

  private Admission.Place enter(Admission admission, Kind kind, String name) {
    return admission.enter(Tenant.DEFAULT, kind, List.of(start(name))).get(0);
  }

  private Consumer<Admission.Place> start(String name) {
    return place -> started.add(name);
  }

  @Test
  void aTenantHasOnlySoManyPlaces() {
    Tenant bounded = new Tenant("bounded");
    var admission = new Admission(4, 4, 0.5, AdmissionTest::limit);
    List<Consumer<Admission.Place>> one = List.of(place -> {});
    List<Admission.Place> taken =
        admission.enter(bounded, Admission.Kind.CALLER, List.of(place -> {}, place -> {}));

    assertThatThrownBy(() -> admission.enter(bounded, Admission.Kind.CALLER, one))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_QUOTA_EXCEEDED));
    admission.enter(Tenant.DEFAULT, Admission.Kind.CALLER, one);
    admission.enter(bounded, Admission.Kind.ROLLOUT, one);
    taken.get(0).leave();
    taken.get(0).leave();
    admission.enter(bounded, Admission.Kind.CALLER, one);
    assertThatThrownBy(() -> admission.enter(bounded, Admission.Kind.CALLER, one))
        .isInstanceOf(PlatformException.class);
  }

  private static OptionalLong limit(Tenant tenant) {
    return tenant.name().equals("bounded") ? OptionalLong.of(2) : OptionalLong.empty();
  }
}
