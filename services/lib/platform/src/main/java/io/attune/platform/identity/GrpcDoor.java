package io.attune.platform.identity;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.Failures;
import io.attune.platform.error.GrpcErrors;
import io.attune.platform.error.PlatformException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.grpc.GlobalInterceptor;
import io.quarkus.security.identity.CurrentIdentityAssociation;
import io.quarkus.security.identity.SecurityIdentity;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.spi.Prioritized;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jboss.logging.Logger;

/**
 * Lets a gRPC call in only if its token is valid and carries a role that the method names with
 * {@code @RolesAllowed}. A method that names none is refused, whoever calls.
 *
 * <p>No message of a call is delivered, and none of its code runs, before that is known.
 */
@ApplicationScoped
@GlobalInterceptor
public class GrpcDoor implements ServerInterceptor, Prioritized {

  private static final Logger LOG = Logger.getLogger(GrpcDoor.class);

  /** Says whether the service is up, and nothing else: probes carry no token. */
  private static final String HEALTH = "grpc.health.v1.Health";

  /** Says what the contract says; for whoever has a valid token, whatever the role. */
  private static final Set<String> REFLECTION =
      Set.of("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection");

  private final CurrentIdentityAssociation identities;
  private final GrpcRoles roles;

  GrpcDoor(CurrentIdentityAssociation identities, GrpcRoles roles) {
    this.identities = identities;
    this.roles = roles;
  }

  /** Just inside of Quarkus' own security interceptor, which finds the token. */
  @Override
  public int getPriority() {
    return Integer.MAX_VALUE - 200;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    DelayedListener<Q> listener = new DelayedListener<>();
    identities
        .getDeferredIdentity()
        .emitOn(callContext())
        .subscribe()
        .with(
            identity -> {
              PlatformException refused =
                  refusal(identity, call.getMethodDescriptor().getFullMethodName());
              if (refused == null) {
                refused = enter(identity, call, headers);
              }
              if (refused == null) {
                listener.open(next.startCall(call, headers));
              } else {
                close(call, refused);
              }
            },
            failed -> close(call, refusalOf(failed)));
    return listener;
  }

  /** Notes whom the call is for, from here on; null, or why it is refused after all. */
  private PlatformException enter(
      SecurityIdentity identity, ServerCall<?, ?> call, Metadata headers) {
    String tenant = OnBehalfOf.tenant(headers);
    if (tenant != null && identity != null) {
      try {
        identities.setIdentity(CallerTenants.onBehalfOf(identity, tenant));
      } catch (PlatformException noTenant) {
        return noTenant;
      }
    }
    audit(identity, call, headers);
    return null;
  }

  private static void audit(SecurityIdentity identity, ServerCall<?, ?> call, Metadata headers) {
    String subject = OnBehalfOf.named(headers);
    if (subject != null) {
      LOG.infof(
          "call of a service: method=%s caller=%s onBehalfOf=%s",
          call.getMethodDescriptor().getFullMethodName(),
          identity.getPrincipal().getName(),
          subject);
    }
  }

  private PlatformException refusal(SecurityIdentity identity, String method) {
    String service = MethodDescriptor.extractFullServiceName(method);
    if (HEALTH.equals(service)) {
      return null;
    }
    if (identity == null || identity.isAnonymous()) {
      return Failures.unauthenticated();
    }
    if (REFLECTION.contains(service)) {
      return null;
    }
    Set<String> allowed = roles.of(method);
    if (allowed.stream().anyMatch(identity::hasRole)) {
      return null;
    }
    return new PlatformException(
        ErrorCode.ERROR_CODE_PERMISSION_DENIED,
        allowed.isEmpty()
            ? "No role may call this method."
            : "This call needs the role %s.".formatted(String.join(" or ", allowed)));
  }

  private static PlatformException refusalOf(Throwable failed) {
    PlatformException told = Failures.toCaller(failed);
    // Whatever keeps a token from being checked, the caller is not let in and learns no more.
    return told.code() == ErrorCode.ERROR_CODE_INTERNAL ? Failures.unauthenticated() : told;
  }

  private static void close(ServerCall<?, ?> call, PlatformException refused) {
    StatusRuntimeException status = GrpcErrors.toStatus(refused);
    Metadata trailers = status.getTrailers();
    call.close(Status.fromThrowable(status), trailers == null ? new Metadata() : trailers);
  }

  /** The call goes on where it began, since request-scoped beans hang on that context. */
  private static Executor callContext() {
    Context context = Vertx.currentContext();
    if (context == null) {
      return Runnable::run;
    }
    return command -> {
      if (Vertx.currentContext() == context) {
        command.run();
      } else {
        context.runOnContext(ignored -> command.run());
      }
    };
  }
}
