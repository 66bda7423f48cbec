package io.attune.platform.call;

import io.attune.platform.error.GrpcErrors;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * A call that ends once: closed by the service, or cancelled by its caller's going or its deadline.
 * What the service sends after the latter is dropped, as gRPC's own server does.
 */
final class WatchedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

  private final Cancellation cancellation;
  private Listener<Q> listener;

  // Guarded by this.
  private boolean closed;
  private boolean cancelled;

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

  private synchronized boolean cancelOnce() {
    if (closed || cancelled) {
      return false;
    }
    cancelled = true;
    return true;
  }

  private void tellService() {
    cancellation.cancel();
    listener.onCancel();
  }

  @Override
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  @Override
  public boolean isReady() {
    return !isCancelled() && super.isReady();
  }

  // With the lock, so that nothing is on its way out when the deadline closes the stream.
  @Override
  public synchronized void sendHeaders(Metadata headers) {
    if (!cancelled) {
      super.sendHeaders(headers);
    }
  }

  @Override
  public synchronized void sendMessage(R message) {
    if (!cancelled) {
      super.sendMessage(message);
    }
  }

  @Override
  public void close(Status status, Metadata trailers) {
    synchronized (this) {
      if (cancelled) {
        return;
      }
      closed = true;
    }
    super.close(status, trailers);
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
