package io.attune.platform.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WatchedCallTest {

  private final List<String> sent = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private final Transport transport = new Transport();
  private final WatchedCall<String, String> call = new WatchedCall<>(transport, new Cancellation());
  private final ServerCall.Listener<String> listener = call.listening(new Service());

  @Test
  void closedCallIsNotCancelledAnyMore() {
    transport.listener = listener;
    call.sendMessage("a");
    call.close(Status.OK, new Metadata());
    call.cancel();
    call.expire();
    listener.onCancel();

    assertThat(sent).containsExactly("a", "OK");
    assertThat(told).containsExactly("complete");
    assertThat(call.isCancelled()).isFalse();
  }

  @Test
  void goneCallerIsToldNothingAndTheServiceOnce() {
    transport.listener = listener;
    call.sendMessage("a");
    call.cancel();
    call.cancel();
    listener.onCancel();
    listener.onMessage("late");
    listener.onHalfClose();
    call.sendMessage("b");
    call.close(Status.OK, new Metadata());

    assertThat(sent).containsExactly("a");
    assertThat(told).containsExactly("cancel");
    assertThat(call.isCancelled()).isTrue();
    assertThat(call.isReady()).isFalse();
  }

  @Test
  void deadlineClosesTheCallAndTheServiceHearsThatItIsCancelled() {
    transport.listener = listener;
    call.expire();
    call.close(Status.OK, new Metadata());

    assertThat(sent).containsExactly("DEADLINE_EXCEEDED");
    assertThat(told).containsExactly("cancel");
  }

  /** As Vert.x does when a connection fails, with its lock held, while another thread writes. */
  @Test
  void callerMayGoWhileTheTransportWrites() {
    transport.listener = listener;
    transport.whileSending =
        () -> {
          Thread eventLoop = new Thread(call::cancel);
          eventLoop.start();
          try {
            eventLoop.join(TimeUnit.SECONDS.toMillis(60));
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
          }
          assertThat(eventLoop.isAlive()).isFalse();
          throw new IllegalStateException("The stream has been closed");
        };

    call.sendMessage("a");

    assertThat(told).containsExactly("cancel");
  }

  private final class Service extends ServerCall.Listener<String> {
    @Override
    public void onMessage(String message) {
      told.add(message);
    }

    @Override
    public void onHalfClose() {
      told.add("half close");
    }

    @Override
    public void onCancel() {
      told.add("cancel");
    }

    @Override
    public void onComplete() {
      told.add("complete");
    }
  }

  /** Tells its listener of the end within close, as the HTTP server's does. */
  private final class Transport extends ServerCall<String, String> {
    private ServerCall.Listener<String> listener;
    private Runnable whileSending = () -> {};

    @Override
    public void request(int count) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(String message) {
      whileSending.run();
      sent.add(message);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      sent.add(status.getCode().name());
      listener.onComplete();
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public MethodDescriptor<String, String> getMethodDescriptor() {
      throw new UnsupportedOperationException("nobody asks");
    }
  }
}
