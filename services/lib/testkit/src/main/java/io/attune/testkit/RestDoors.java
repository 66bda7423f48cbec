package io.attune.testkit;

import io.quarkus.arc.Arc;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.eclipse.microprofile.config.ConfigProvider;

/** The HTTP routes of the service under test, as it runs. */
final class RestDoors {

  /** Health and metrics, which say nothing about anybody. */
  private static final String OPEN = "/q/";

  private RestDoors() {}

  /** Every JAX-RS route as "POST /v1/feedback". */
  static Set<String> found() {
    return new TreeSet<>(contentTypes().keySet());
  }

  /**
   * Paths that the HTTP server answers and that belong to no JAX-RS resource, health or metrics.
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

  /** Calls a route with an empty JSON object where it takes a body; returns the status. */
  static int knock(String route, String token) {
    String[] parts = route.split(" ", 2);
    String base = ConfigProvider.getConfig().getValue("test.url", String.class);
    String path = parts[1].replaceAll("\\{[^}]*}", "none");
    boolean hasBody = Set.of("POST", "PUT", "PATCH").contains(parts[0]);
    var request =
        HttpRequest.newBuilder(URI.create(base + path))
            .method(
                parts[0],
                hasBody
                    ? HttpRequest.BodyPublishers.ofString("{}")
                    : HttpRequest.BodyPublishers.noBody());
    if (hasBody) {
      request.header("Content-Type", contentTypes().getOrDefault(route, "application/json"));
    }
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    try {
      return HttpClient.newHttpClient()
          .send(request.build(), HttpResponse.BodyHandlers.discarding())
          .statusCode();
    } catch (IOException failed) {
      throw new UncheckedIOException(route, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private static Map<String, String> contentTypes() {
    Map<String, String> types = new HashMap<>();
    for (Bean<?> bean :
        Arc.container().beanManager().getBeans(Object.class, Any.Literal.INSTANCE)) {
      Path onClass = bean.getBeanClass().getAnnotation(Path.class);
      if (onClass != null && Arc.container() != null) {
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
