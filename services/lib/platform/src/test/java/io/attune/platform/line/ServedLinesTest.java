package io.attune.platform.line;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ServedLinesTest {

  private final ServedLines<Handle> lines = new ServedLines<>();

  @Test
  void oldVersionClosesWhenItsLastPinDoes() {
    Handle first = new Handle();
    Handle second = new Handle();
    lines.serve(version(1, first));
    Pin<Handle> one = lines.pin(Tenant.DEFAULT, "assistant");
    Pin<Handle> other = one.again();

    lines.serve(version(2, second));
    one.close();
    one.close();
    assertThat(first.closed).hasValue(0);
    other.close();

    assertThat(first.closed).hasValue(1);
    assertThat(second.closed).hasValue(0);
    assertThat(lines.pin(Tenant.DEFAULT, "assistant").version().version()).isEqualTo(2);
  }

  @Test
  void unusedOldVersionClosesAtTheSwitch() {
    Handle first = new Handle();
    lines.serve(version(1, first));

    lines.serve(version(2, new Handle()));

    assertThat(first.closed).hasValue(1);
  }

  @Test
  void closedPinCannotBeRepeated() {
    Handle first = new Handle();
    lines.serve(version(1, first));
    Pin<Handle> pin = lines.pin(Tenant.DEFAULT, "assistant");
    lines.serve(version(2, new Handle()));
    pin.close();

    assertThatThrownBy(pin::again).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void unknownLineIsNotFoundOnceAllAreKnown() {
    assertThatThrownBy(() -> lines.pin(Tenant.DEFAULT, "nobody"))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_UNAVAILABLE));

    lines.completeWithBase("assistant");

    assertThatThrownBy(() -> lines.pin(Tenant.DEFAULT, "nobody"))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_NOT_FOUND))
        .hasMessageContaining("nobody");
  }

  @Test
  void baseIsServedOnlyToALineThatIsUnknown() {
    lines.completeWithBase("assistant");
    assertThat(lines.pin(Tenant.DEFAULT, "assistant").handle()).isEmpty();

    lines.serve(version(3, new Handle()));
    lines.completeWithBase("assistant");

    assertThat(lines.versions(Tenant.DEFAULT))
        .containsEntry("assistant", new LineVersion(Tenant.DEFAULT, "assistant", 3, "d3"));
  }

  @Test
  void noPinIsEverOfAClosedVersion() throws Exception {
    lines.serve(version(0, new Handle()));
    var done = new AtomicBoolean();
    Callable<Integer> user =
        () -> {
          int used = 0;
          while (!done.get() || used == 0) {
            try (Pin<Handle> pin = lines.pin(Tenant.DEFAULT, "assistant")) {
              assertThat(pin.handle().orElseThrow().closed).hasValue(0);
              used++;
            }
          }
          return used;
        };
    List<Handle> handles = new ArrayList<>();
    var pool = Executors.newFixedThreadPool(3);
    try {
      List<Future<Integer>> users =
          List.of(pool.submit(user), pool.submit(user), pool.submit(user));
      for (int i = 1; i <= 2000; i++) {
        Handle next = new Handle();
        handles.add(next);
        lines.serve(version(i, next));
      }
      done.set(true);
      for (Future<Integer> each : users) {
        assertThat(each.get()).isPositive();
      }
    } finally {
      done.set(true);
      pool.shutdownNow();
    }
    lines.close();
    assertThat(handles).allSatisfy(handle -> assertThat(handle.closed).hasValue(1));
  }

  private static ServedVersion<Handle> version(long version, Handle handle) {
    return ServedVersion.of(
        new LineVersion(Tenant.DEFAULT, "assistant", version, "d" + version), handle);
  }

  private static final class Handle implements AutoCloseable {
    final AtomicInteger closed = new AtomicInteger();

    @Override
    public void close() {
      closed.incrementAndGet();
    }
  }
}
