package io.attune.platform.identity;

import io.grpc.BindableService;
import io.grpc.ServerMethodDefinition;
import io.quarkus.arc.ClientProxy;
import io.quarkus.grpc.MutinyService;
import jakarta.annotation.security.RolesAllowed;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which roles may call which gRPC method, read from {@code @RolesAllowed} on the method itself. */
@ApplicationScoped
public class GrpcRoles {

  private final Instance<BindableService> services;
  private final Instance<MutinyService> implementations;
  private volatile Map<String, Set<String>> byMethod;

  GrpcRoles(@Any Instance<BindableService> services, @Any Instance<MutinyService> implementations) {
    this.services = services;
    this.implementations = implementations;
  }

  /** The roles that may call; empty, so nobody, for a method that names none. */
  Set<String> of(String fullMethodName) {
    Map<String, Set<String>> known = byMethod;
    if (known == null) {
      known = read();
      byMethod = known;
    }
    return known.getOrDefault(fullMethodName, Set.of());
  }

  private Map<String, Set<String>> read() {
    Map<String, Set<String>> roles = new HashMap<>();
    for (BindableService service : services) {
      Class<?> type = implementation(written(ClientProxy.unwrap(service).getClass()));
      for (ServerMethodDefinition<?, ?> definition : service.bindService().getMethods()) {
        String bare = definition.getMethodDescriptor().getBareMethodName();
        roles.put(
            definition.getMethodDescriptor().getFullMethodName(),
            rolesOf(type, bare.substring(0, 1).toLowerCase(Locale.ROOT) + bare.substring(1)));
      }
    }
    return Map.copyOf(roles);
  }

  private static Set<String> rolesOf(Class<?> type, String methodName) {
    Set<String> roles = new TreeSet<>();
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals(methodName)
          && !method.isBridge()
          && method.isAnnotationPresent(RolesAllowed.class)) {
        roles.addAll(Set.of(method.getAnnotation(RolesAllowed.class).value()));
      }
    }
    return Set.copyOf(roles);
  }

  /**
   * What was written for a service. A Mutiny service {@code S} is bound by a generated class {@code
   * SBean}, which hands on to the bean that implements {@code S}.
   */
  private Class<?> implementation(Class<?> bound) {
    for (MutinyService candidate : implementations) {
      Class<?> type = written(ClientProxy.unwrap(candidate).getClass());
      for (Class<?> contract : type.getInterfaces()) {
        if (bound.getName().equals(contract.getName() + "Bean")) {
          return type;
        }
      }
    }
    return bound;
  }

  /** Beans with interceptors are generated subclasses of what was written. */
  private static Class<?> written(Class<?> bean) {
    Class<?> type = bean;
    while (type.getSimpleName().endsWith("_Subclass") || type.isSynthetic()) {
      type = type.getSuperclass();
    }
    return type;
  }
}
