package io.attune.testkit;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.quarkus.arc.Arc;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The doors of the service under test, as it runs in the test's JVM. */
final class RunningDoors {

  /** Health, metrics, and the contract, which say nothing about anybody. */
  private static final String OPEN = "/q/";

  private RunningDoors() {}

  /** Every JAX-RS route as "POST /v1/feedback", with what it takes as its body. */
  static Map<String, String> routes() {
    Map<String, String> types = new HashMap<>();
    for (Bean<?> bean :
        Arc.container().beanManager().getBeans(Object.class, Any.Literal.INSTANCE)) {
      Path onClass = bean.getBeanClass().getAnnotation(Path.class);
      if (onClass != null) {
        for (Method method : bean.getBeanClass().getDeclaredMethods()) {
          String verb = verb(method);
          if (verb != null) {
            types.put(verb + " " + join(onClass, method.getAnnotation(Path.class)), type(method));
          }
        }
      }
    }
    return types;
  }

  /**
   * Paths that the HTTP server answers and that belong to no JAX-RS resource, health, metrics or
   * contract.
   */
  static List<String> otherPaths() {
    List<String> other = new ArrayList<>();
    for (Router router : Arc.container().select(Router.class, Any.Literal.INSTANCE)) {
      for (Route route : router.getRoutes()) {
        String path = route.getPath();
        if (path != null && !path.equals("/") && !path.equals("/q") && !path.startsWith(OPEN)) {
          other.add(route.methods() + " " + path);
        }
      }
    }
    return other;
  }

  /** Every method of every gRPC service that is bound, by its full name. */
  static Map<String, MethodDescriptor<?, ?>> methods() {
    Map<String, MethodDescriptor<?, ?>> methods = new TreeMap<>();
    for (BindableService service :
        Arc.container().select(BindableService.class, Any.Literal.INSTANCE)) {
      service
          .bindService()
          .getMethods()
          .forEach(
              method ->
                  methods.put(
                      method.getMethodDescriptor().getFullMethodName(),
                      method.getMethodDescriptor()));
    }
    return methods;
  }

  private static String verb(Method method) {
    for (Annotation annotation : method.getAnnotations()) {
      HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
      if (verb != null) {
        return verb.value();
      }
    }
    return null;
  }

  private static String type(Method method) {
    Consumes consumes = method.getAnnotation(Consumes.class);
    return consumes == null ? "application/json" : consumes.value()[0];
  }

  private static String join(Path onClass, Path onMethod) {
    String joined = "/" + onClass.value() + "/" + (onMethod == null ? "" : onMethod.value());
    String single = joined.replaceAll("/+", "/");
    return single.endsWith("/") ? single.substring(0, single.length() - 1) : single;
  }
}
