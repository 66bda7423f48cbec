package io.attune.acceptance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The doors of a running service, as it publishes them itself: routes by OpenAPI, methods by gRPC
 * reflection.
 *
 * @param routes what each route takes as its body, by names such as "POST /v1/feedback"
 * @param requests the type of each method's request, by the method's full name
 */
record PublishedDoors(Map<String, String> routes, Map<String, Descriptor> requests) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long LIMIT_SECONDS = 60;

  /** Of the service at a URL, for whoever has a valid token. */
  static PublishedDoors of(URI service, String token) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(service.getHost(), service.getPort()).usePlaintext().build();
    try {
      Metadata headers = new Metadata();
      headers.put(
          Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
      var reflection =
          ServerReflectionGrpc.newStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      return new PublishedDoors(routes(service, token), new Reflection(reflection).requests());
    } finally {
      channel.shutdownNow();
    }
  }

  private static Map<String, String> routes(URI service, String token)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(service.resolve("/q/openapi?format=JSON"))
            .header("Authorization", "Bearer " + token)
            .build();
    String document =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    Map<String, String> routes = new TreeMap<>();
    for (Map.Entry<String, JsonNode> path : JSON.readTree(document).get("paths").properties()) {
      for (Map.Entry<String, JsonNode> verb : path.getValue().properties()) {
        JsonNode content = verb.getValue().at("/requestBody/content");
        String type = content.isEmpty() ? "application/json" : content.fieldNames().next();
        routes.put(verb.getKey().toUpperCase(java.util.Locale.ROOT) + " " + path.getKey(), type);
      }
    }
    return routes;
  }

  /** Asks what services there are, and for the files that describe them. */
  private static final class Reflection {
    private final ServerReflectionGrpc.ServerReflectionStub server;
    private final Map<String, FileDescriptor> files = new HashMap<>();

    private Reflection(ServerReflectionGrpc.ServerReflectionStub server) {
      this.server = server;
    }

    Map<String, Descriptor> requests() throws Exception {
      Map<String, Descriptor> requests = new TreeMap<>();
      ServerReflectionResponse listed =
          ask(ServerReflectionRequest.newBuilder().setListServices("").build());
      for (ServiceResponse service : listed.getListServicesResponse().getServiceList()) {
        // gRPC's own services, health and reflection, are of another kind.
        if (!service.getName().startsWith("grpc.")) {
          for (MethodDescriptor method : describe(service.getName()).getMethods()) {
            requests.put(service.getName() + "/" + method.getName(), method.getInputType());
          }
        }
      }
      return requests;
    }

    private ServiceDescriptor describe(String service) throws Exception {
      FileDescriptor file =
          read(ServerReflectionRequest.newBuilder().setFileContainingSymbol(service).build());
      return file.findServiceByName(service.substring(service.lastIndexOf('.') + 1));
    }

    private FileDescriptor read(ServerReflectionRequest request) throws Exception {
      ServerReflectionResponse answer = ask(request);
      ByteString described = answer.getFileDescriptorResponse().getFileDescriptorProto(0);
      FileDescriptorProto file = FileDescriptorProto.parseFrom(described);
      FileDescriptor known = files.get(file.getName());
      return known != null ? known : build(file);
    }

    private FileDescriptor build(FileDescriptorProto file) throws Exception {
      FileDescriptor[] imports = new FileDescriptor[file.getDependencyCount()];
      for (int i = 0; i < imports.length; i++) {
        imports[i] =
            read(
                ServerReflectionRequest.newBuilder()
                    .setFileByFilename(file.getDependency(i))
                    .build());
      }
      try {
        FileDescriptor built = FileDescriptor.buildFrom(file, imports);
        files.put(file.getName(), built);
        return built;
      } catch (DescriptorValidationException e) {
        throw new IllegalStateException(file.getName(), e);
      }
    }

    private ServerReflectionResponse ask(ServerReflectionRequest request) throws Exception {
      CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
      StreamObserver<ServerReflectionRequest> questions =
          server.serverReflectionInfo(
              new StreamObserver<>() {
                @Override
                public void onNext(ServerReflectionResponse response) {
                  answer.complete(response);
                }

                @Override
                public void onError(Throwable failed) {
                  answer.completeExceptionally(failed);
                }

                @Override
                public void onCompleted() {
                  answer.completeExceptionally(new IllegalStateException("no answer: " + request));
                }
              });
      questions.onNext(request);
      questions.onCompleted();
      return answer.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
  }
}
