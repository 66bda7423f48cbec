package io.attune.platform.line;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.LineKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LineSwitchTest {

  private final ServedLines<AutoCloseable> lines = new ServedLines<>();
  private final List<String> heard = new ArrayList<>();
  private final Map<Long, PlatformException> broken = new HashMap<>();
  private final LineSwitch<AutoCloseable> lineSwitch =
      new LineSwitch<>(
          LineKind.LINE_KIND_POLICY,
          lines,
          release -> {
            PlatformException failure = broken.get(release.version().version());
            if (failure != null) {
              throw failure;
            }
            return () -> heard.add("closed " + release.version());
          },
          new LineSwitch.Listener() {
            @Override
            public void activated(LineVersion version) {
              heard.add("activated " + version);
            }

            @Override
            public void failed(LineVersion version, PlatformException failure) {
              heard.add("failed " + version);
            }
          });

  @Test
  void newerRevisionReplacesOlderAndNotTheOtherWayRound() {
    lineSwitch.apply(released(5, 2));
    lineSwitch.apply(released(4, 1));
    lineSwitch.apply(released(5, 1));
    lineSwitch.apply(released(6, 3));

    assertThat(heard).containsExactly("activated a@2", "closed a@2", "activated a@3");
  }

  @Test
  void recordsThatLeaveTheActiveVersionAloneLoadNothing() {
    lineSwitch.apply(released(1, 1));
    // A candidate came: another revision, the same active version.
    lineSwitch.apply(released(2, 1));

    assertThat(heard).containsExactly("activated a@1");
  }

  @Test
  void linesOfAnotherKindAreNotServed() {
    lineSwitch.apply(
        new LineState(Tenant.DEFAULT, "r", LineKind.LINE_KIND_REWARD, 1, Optional.empty()));

    assertThat(lines.versions(Tenant.DEFAULT)).isEmpty();
  }

  @Test
  void versionThatCannotBeLoadedLeavesTheOldOne() {
    lineSwitch.apply(released(1, 1));
    broken.put(2L, new PlatformException(ErrorCode.ERROR_CODE_CORRUPT, "digest differs"));

    lineSwitch.apply(released(2, 2));
    lineSwitch.retry();

    assertThat(lines.pin(Tenant.DEFAULT, "a").version().version()).isEqualTo(1);
    assertThat(heard).containsExactly("activated a@1", "failed a@2");
  }

  @Test
  void firstVersionThatCannotBeLoadedMakesTheLineUnavailable() {
    broken.put(1L, new PlatformException(ErrorCode.ERROR_CODE_CORRUPT, "digest differs"));

    lineSwitch.apply(released(1, 1));
    lines.completeWithBase("a");

    assertThatThrownBy(() -> lines.pin(Tenant.DEFAULT, "a"))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_UNAVAILABLE))
        .hasMessageContaining("digest differs");
  }

  @Test
  void onlyFailuresThatMayPassAreTriedAgain() {
    broken.put(1L, new PlatformException(ErrorCode.ERROR_CODE_UNAVAILABLE, "storage is away"));
    lineSwitch.apply(released(1, 1));
    lineSwitch.retry();
    broken.clear();

    lineSwitch.retry();
    lineSwitch.retry();

    assertThat(heard).containsExactly("failed a@1", "failed a@1", "activated a@1");
  }

  @Test
  void rollBackToTheBaseModelLetsGoOfTheAdapter() {
    lineSwitch.apply(released(1, 1));

    lineSwitch.apply(
        new LineState(Tenant.DEFAULT, "a", LineKind.LINE_KIND_POLICY, 2, Optional.empty()));

    assertThat(lines.pin(Tenant.DEFAULT, "a").handle()).isEmpty();
    assertThat(heard).containsExactly("activated a@1", "closed a@1", "activated a@0");
  }

  private static LineState released(long revision, long version) {
    var artifact = Artifact.newBuilder().setUri("file:///a").setSha256("d" + version).build();
    var release =
        new Release(new LineVersion(Tenant.DEFAULT, "a", version, "d" + version), artifact, "");
    return new LineState(
        Tenant.DEFAULT, "a", LineKind.LINE_KIND_POLICY, revision, Optional.of(release));
  }
}
