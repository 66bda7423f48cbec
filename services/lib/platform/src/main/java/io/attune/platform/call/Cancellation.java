package io.attune.platform.call;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;

/** Whether the caller of a gRPC call still waits, and what ends when not. */
public final class Cancellation {

  private final List<Runnable> actions = new ArrayList<>();
  private boolean cancelled;

  Cancellation() {}

  /** Makes it known to what runs for the call, on whatever thread. */
  void attachTo(Context call) {
    call.putLocal(Cancellation.class.getName(), this);
  }

  /**
   * The same work, cancelled when the gRPC call that this is called for is cancelled. Quarkus does
   * so for a method that returns a Multi, but not for one that returns a Uni.
   */
  public static <T> Uni<T> endsWithCall(Uni<T> work) {
    Context context = Vertx.currentContext();
    Cancellation call =
        context == null ? null : context.<Cancellation>getLocal(Cancellation.class.getName());
    if (call == null) {
      return work;
    }
    return Uni.createFrom()
        .emitter(
            emitter -> {
              Cancellable running = work.subscribe().with(emitter::complete, emitter::fail);
              emitter.onTermination(running::cancel);
              call.whenCancelled(running::cancel);
            });
  }

  private void whenCancelled(Runnable action) {
    synchronized (this) {
      if (!cancelled) {
        actions.add(action);
        return;
      }
    }
    action.run();
  }

  void cancel() {
    List<Runnable> due;
    synchronized (this) {
      cancelled = true;
      due = List.copyOf(actions);
      actions.clear();
    }
    due.forEach(Runnable::run);
  }
}
