package io.attune.platform.call;

import io.attune.platform.error.GrpcErrors;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A call that ends once: closed by the service, or cancelled by its caller's going or its deadline.
 * What the service sends after the latter is dropped, as gRPC's own server does.
 */
final class WatchedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

  private enum State {
    OPEN,
    CLOSED,
    CANCELLED
  }

  private final Cancellation cancellation;
  // Not a lock: the transport tells of a lost connection while it holds one of its own.
  private final AtomicReference<State> state = new AtomicReference<>(State.OPEN);
  private Listener<Q> listener;

  WatchedCall(ServerCall<Q, R> call, Cancellation cancellation) {
    super(call);
    this.cancellation = cancellation;
  }

  /** What the transport is to tell; passes on what happens before the call's end. */
  Listener<Q> listening(Listener<Q> service) {
    listener = service;
    return new Relay(service);
  }

  /** The caller has gone. Without effect on a call that has ended. */
  void cancel() {
    if (cancelOnce()) {
      tellService();
    }
  }

  /** The caller waits no longer; it may still be there to hear so. */
  void expire() {
    if (cancelOnce()) {
      StatusRuntimeException late = GrpcErrors.deadlineExceeded();
      super.close(late.getStatus(), late.getTrailers());
      tellService();
    }
  }

  private boolean cancelOnce() {
    return state.compareAndSet(State.OPEN, State.CANCELLED);
  }

  private void tellService() {
    cancellation.cancel();
    listener.onCancel();
  }

  @Override
  public boolean isCancelled() {
    return state.get() == State.CANCELLED;
  }

  @Override
  public boolean isReady() {
    return !isCancelled() && super.isReady();
  }

  @Override
  public void sendHeaders(Metadata headers) {
    unlessCancelled(() -> super.sendHeaders(headers));
  }

  @Override
  public void sendMessage(R message) {
    unlessCancelled(() -> super.sendMessage(message));
  }

  private void unlessCancelled(Runnable send) {
    if (isCancelled()) {
      return;
    }
    try {
      send.run();
    } catch (IllegalStateException ended) {
      // The deadline may have closed the stream since the line above.
      if (!isCancelled()) {
        throw ended;
      }
    }
  }

  @Override
  public void close(Status status, Metadata trailers) {
    if (state.compareAndSet(State.OPEN, State.CLOSED)) {
      super.close(status, trailers);
    } else if (!isCancelled()) {
      throw new IllegalStateException("the call is closed already");
    }
  }

  /** What the transport tells, as long as the call is not cancelled. */
  private final class Relay extends SimpleForwardingServerCallListener<Q> {

    Relay(Listener<Q> service) {
      super(service);
    }

    @Override
    public void onMessage(Q message) {
      if (!isCancelled()) {
        super.onMessage(message);
      }
    }

    @Override
    public void onHalfClose() {
      if (!isCancelled()) {
        super.onHalfClose();
      }
    }

    @Override
    public void onReady() {
      if (!isCancelled()) {
        super.onReady();
      }
    }

    @Override
    public void onCancel() {
      cancel();
    }

    @Override
    public void onComplete() {
      if (!isCancelled()) {
        super.onComplete();
      }
    }
  }
}
