package io.attune.serving.openai;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.serving.AnswerSet;
import io.attune.serving.ServingConfig;
import io.attune.serving.ServingPublisher;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Generator;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Models;
import io.attune.serving.generate.Prepared;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jboss.resteasy.reactive.server.Cancellable;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** The OpenAI-compatible HTTP API. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@RolesAllowed({Roles.RATER, Roles.VIEWER})
public class OpenAiResource {

  private final Generator generator;
  private final Answering answering;
  private final Models models;
  private final ServingPublisher publisher;
  private final ServingConfig config;
  private final ObjectMapper json;
  private final Clock clock;
  private final SecurityIdentity identity;
  private final Instant started;

  public OpenAiResource(
      Generator generator,
      Answering answering,
      Models models,
      ServingPublisher publisher,
      ServingConfig config,
      ObjectMapper json,
      Clock clock,
      SecurityIdentity identity) {
    this.generator = generator;
    this.answering = answering;
    this.models = models;
    this.publisher = publisher;
    this.config = config;
    this.json = json;
    this.clock = clock;
    this.identity = identity;
    this.started = clock.instant();
  }

  @GET
  @Path("/models")
  public String models() {
    ObjectNode body = json.createObjectNode().put("object", "list");
    var data = body.putArray("data");
    models.list(tenant()).forEach(entry -> data.add(model(entry)));
    return body.toString();
  }

  /** As vLLM lists adapters: {@code root} is what is loaded, {@code parent} the model beneath. */
  private ObjectNode model(Models.Entry entry) {
    return json.createObjectNode()
        .put("id", entry.name())
        .put("object", "model")
        .put("created", started.getEpochSecond())
        .put("owned_by", "attune")
        .put("root", entry.adapter().version() == 0 ? models.baseName() : entry.adapter().sha256())
        .put("parent", entry.parent().isEmpty() ? null : entry.parent())
        .put("attune_adapter_version", entry.adapter().toString());
  }

  @POST
  @Path("/chat/completions")
  @Consumes(MediaType.APPLICATION_JSON)
  @Produces({MediaType.APPLICATION_JSON, MediaType.SERVER_SENT_EVENTS})
  @Blocking
  @Cancellable
  public Uni<Response> chat(byte[] body) {
    OpenAiRequest request = OpenAiRequest.chat(tenant(), parse(body), config.defaultMaxNewTokens());
    return answer(
        request, new ChatShape(request.logprobs(), clock.instant(), generator::tokenText));
  }

  @POST
  @Path("/completions")
  @Consumes(MediaType.APPLICATION_JSON)
  @Produces({MediaType.APPLICATION_JSON, MediaType.SERVER_SENT_EVENTS})
  @Blocking
  @Cancellable
  public Uni<Response> completion(byte[] body) {
    OpenAiRequest request =
        OpenAiRequest.completion(tenant(), parse(body), config.defaultMaxNewTokens());
    return answer(
        request, new CompletionShape(request.logprobs(), clock.instant(), generator::tokenText));
  }

  private Tenant tenant() {
    return Caller.of(identity).tenant();
  }

  private JsonNode parse(byte[] body) {
    try {
      return json.readTree(body);
    } catch (JacksonException malformed) {
      var at = malformed.getLocation();
      throw new RefusedField(
          null,
          "The body is not JSON: see line %d, column %d."
              .formatted(at == null ? 1 : at.getLineNr(), at == null ? 1 : at.getColumnNr()));
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  private Uni<Response> answer(OpenAiRequest request, Shape shape) {
    // Inside the deferred part, so that what is pinned is always started or closed.
    return Uni.createFrom()
        .deferred(
            () -> {
              var questions = new ArrayList<Prepared>();
              questions.add(answering.prepare(request.question()));
              for (int i = 1; i < request.n(); i++) {
                questions.add(answering.again(questions.get(0), i));
              }
              return request.stream() ? stream(request, shape, questions) : whole(shape, questions);
            });
  }

  private Uni<Response> whole(Shape shape, List<Prepared> questions) {
    return AnswerSet.collect(answering, Admission.Kind.CALLER, questions, publisher::answered)
        .map(
            answers ->
                named(answers.get(0).head(), MediaType.APPLICATION_JSON)
                    .entity(shape.whole(answers).toString())
                    .build());
  }

  private Uni<Response> stream(OpenAiRequest request, Shape shape, List<Prepared> questions) {
    var answers =
        new StreamedAnswers(shape, questions.size(), request.includeUsage(), publisher::answered);
    answers.started(answering.start(Admission.Kind.CALLER, questions, answers.listeners()));
    return Uni.createFrom()
        .item(
            named(questions.get(0).head(), MediaType.SERVER_SENT_EVENTS)
                .header("Cache-Control", "no-cache")
                .entity(answers.events())
                .build());
  }

  private static Response.ResponseBuilder named(Head head, String type) {
    return Response.ok()
        .type(type)
        .header("attune-generation-id", head.generationId())
        .header("attune-conversation-id", head.conversationId())
        .header("attune-adapter-version", head.adapter().toString());
  }

  @ServerExceptionMapper
  Response refused(PlatformException thrown) {
    return OpenAiErrors.response(thrown);
  }

  @ServerExceptionMapper
  Response refused(RefusedField thrown) {
    return OpenAiErrors.response(thrown);
  }
}
