package io.attune.testkit;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.quarkus.arc.Arc;
import jakarta.enterprise.inject.Any;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.ConfigProvider;

/** The gRPC methods of the service under test, as it runs. */
final class GrpcDoors implements AutoCloseable {

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;

  GrpcDoors() {
    URI url = URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    channel = NettyChannelBuilder.forAddress(url.getHost(), url.getPort()).usePlaintext().build();
  }

  /** Every method of every service that is bound, by its full name. */
  static Set<String> found() {
    Set<String> methods = new TreeSet<>();
    for (BindableService service :
        Arc.container().select(BindableService.class, Any.Literal.INSTANCE)) {
      service
          .bindService()
          .getMethods()
          .forEach(method -> methods.add(method.getMethodDescriptor().getFullMethodName()));
    }
    return methods;
  }

  /** Calls a method with an empty message and returns the status that ends the call. */
  Status.Code knock(String method, String token) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setFullMethodName(method)
            // A server tells unary from streaming by itself; a client's streaming type takes both.
            .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
            .setRequestMarshaller(Bytes.INSTANCE)
            .setResponseMarshaller(Bytes.INSTANCE)
            .build();
    Metadata headers = new Metadata();
    if (token != null) {
      headers.put(AUTHORIZATION, "Bearer " + token);
    }
    CompletableFuture<Status> end = new CompletableFuture<>();
    ClientCall<byte[], byte[]> call =
        channel.newCall(descriptor, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS));
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        headers);
    call.request(Integer.MAX_VALUE);
    call.sendMessage(new byte[0]);
    call.halfClose();
    return end.join().getCode();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (java.io.IOException failed) {
        throw new java.io.UncheckedIOException(failed);
      }
    }
  }
}
