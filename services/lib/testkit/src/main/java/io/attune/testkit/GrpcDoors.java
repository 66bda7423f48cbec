package io.attune.testkit;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Knocks at the gRPC methods of a running service. */
public final class GrpcDoors implements AutoCloseable {

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;
  private final Map<String, Descriptor> requests;

  /**
   * @param requests the type of each method's request, by the method's full name
   */
  public GrpcDoors(String host, int port, Map<String, Descriptor> requests) {
    this.channel = NettyChannelBuilder.forAddress(host, port).usePlaintext().build();
    this.requests = Map.copyOf(requests);
  }

  /** Calls a method with an empty message and returns the status that ends the call. */
  public Status.Code knock(String method, String token) {
    return knock(method, token, new byte[0]);
  }

  /** Calls a method with a request in JSON and returns the status that ends the call. */
  public Status.Code knock(String method, String token, String json) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(requests.get(method));
    try {
      JsonFormat.parser().merge(json, message);
    } catch (InvalidProtocolBufferException wrong) {
      throw new UncheckedIOException(method + " takes no " + json, wrong);
    }
    return knock(method, token, message.build().toByteArray());
  }

  private Status.Code knock(String method, String token, byte[] request) {
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
    call.sendMessage(request);
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
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }
  }
}
