package io.attune.launcher.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.function.Supplier;

/** Puts a token on every call, a new one before the one at hand expires. */
final class Bearer implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final long MARGIN_SECONDS = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Supplier<String> mint;
  private final InstantSource clock = InstantSource.system();
  private String token;
  private Instant renewal = Instant.MIN;

  Bearer(Supplier<String> mint) {
    this.mint = mint;
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        headers.put(AUTHORIZATION, "Bearer " + current());
        super.start(listener, headers);
      }
    };
  }

  private synchronized String current() {
    if (!clock.instant().isBefore(renewal)) {
      token = mint.get();
      renewal = Instant.ofEpochSecond(expiry(token) - MARGIN_SECONDS);
    }
    return token;
  }

  private static long expiry(String token) {
    try {
      return JSON.readTree(Base64.getUrlDecoder().decode(token.split("\\.")[1]))
          .get("exp")
          .longValue();
    } catch (IOException e) {
      throw new UncheckedIOException("a token that is no JWT", e);
    }
  }
}
