package io.attune.platform.identity;

import io.grpc.ServerCall;
import java.util.ArrayDeque;
import java.util.Queue;

/** Keeps what happens on a call until it is known whether the call is let in. */
final class DelayedListener<Q> extends ServerCall.Listener<Q> {

  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private ServerCall.Listener<Q> open;

  /** Delivers what waited, in order, and everything from now on at once. */
  void open(ServerCall.Listener<Q> listener) {
    synchronized (waiting) {
      open = listener;
      for (Runnable event = waiting.poll(); event != null; event = waiting.poll()) {
        event.run();
      }
    }
  }

  private void deliver(Runnable event) {
    synchronized (waiting) {
      if (open == null) {
        waiting.add(event);
        return;
      }
    }
    event.run();
  }

  @Override
  public void onMessage(Q message) {
    deliver(() -> open.onMessage(message));
  }

  @Override
  public void onHalfClose() {
    deliver(() -> open.onHalfClose());
  }

  @Override
  public void onCancel() {
    deliver(() -> open.onCancel());
  }

  @Override
  public void onComplete() {
    deliver(() -> open.onComplete());
  }

  @Override
  public void onReady() {
    deliver(() -> open.onReady());
  }
}
