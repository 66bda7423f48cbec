package io.attune.serving.openai;

import jakarta.ws.rs.Produces;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.ext.Provider;
import java.io.OutputStream;
import java.lang.annotation.Annotation;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveResourceInfo;
import org.jboss.resteasy.reactive.server.spi.ServerHttpResponse;
import org.jboss.resteasy.reactive.server.spi.ServerMessageBodyWriter;
import org.jboss.resteasy.reactive.server.spi.ServerRequestContext;

/**
 * Writes an {@link EventStream} as it comes, without a thread of its own. One method answers with
 * JSON or with events as the body asks, which a method that returns a Multi cannot do.
 */
@Provider
@Produces(MediaType.SERVER_SENT_EVENTS)
public class EventStreamWriter implements ServerMessageBodyWriter<EventStream> {

  @Override
  public boolean isWriteable(
      Class<?> type, Type genericType, ResteasyReactiveResourceInfo target, MediaType mediaType) {
    return type == EventStream.class;
  }

  @Override
  public boolean isWriteable(
      Class<?> type, Type genericType, Annotation[] annotations, MediaType mediaType) {
    return type == EventStream.class;
  }

  @Override
  public void writeResponse(EventStream events, Type genericType, ServerRequestContext context)
      throws WebApplicationException {
    ServerHttpResponse response = context.serverResponse();
    response.setChunked(true);
    response.addCloseHandler(events::gone);
    events.attach(
        new EventStream.Client() {
          @Override
          public void write(String event) {
            response
                .write(event.getBytes(StandardCharsets.UTF_8))
                .whenComplete(
                    (done, failure) -> {
                      if (failure != null) {
                        events.gone();
                      }
                    });
          }

          @Override
          public void end() {
            response.end();
          }
        });
  }

  @Override
  public void writeTo(
      EventStream events,
      Class<?> type,
      Type genericType,
      Annotation[] annotations,
      MediaType mediaType,
      MultivaluedMap<String, Object> headers,
      OutputStream out) {
    throw new UnsupportedOperationException("events are written by the server's own response");
  }
}
