package io.attune.serving.openai;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.generate.SamplingParameters;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Prompt;
import io.attune.serving.generate.Question;
import io.attune.serving.generate.Sampling;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A request of the OpenAI API, as far as it is supported here.
 *
 * @param n answers to the one question
 * @param includeUsage whether a stream ends with a piece that counts tokens
 * @param logprobs whether each token's log-probability is told; of how many others, the sampling
 *     says
 */
record OpenAiRequest(
    Question question, int n, boolean stream, boolean includeUsage, boolean logprobs) {

  /** Answers to one question, at most: each takes a place of the batch. */
  static final int MAX_N = 4;

  private static final int MAX_TOP = SamplingParameters.MAX_TOP_LOG_PROBABILITIES;

  private static final Set<String> COMMON =
      Set.of("model", "max_tokens", "n", "stream", "stream_options", "logprobs", "metadata");

  private static final Set<String> HARMLESS =
      Set.of(
          "user",
          "store",
          "service_tier",
          "safety_identifier",
          "prompt_cache_key",
          "parallel_tool_calls");

  private static final Predicate<JsonNode> ZERO = v -> v.isNumber() && v.doubleValue() == 0;
  private static final Predicate<JsonNode> EMPTY = v -> v.isContainerNode() && v.isEmpty();

  /** Fields that mean nothing at these values, which some clients always send. */
  private static final Map<String, Predicate<JsonNode>> NEUTRAL =
      Map.of(
          "tools", EMPTY,
          "tool_choice", v -> v.isTextual() && v.textValue().equals("none"),
          "response_format", v -> v.isObject() && v.path("type").asText().equals("text"),
          "top_logprobs", ZERO,
          "best_of", v -> v.isInt() && v.intValue() == 1,
          "echo", v -> v.isBoolean() && !v.booleanValue());

  /** Reads the body of {@code POST /v1/chat/completions}. */
  static OpenAiRequest chat(Tenant tenant, JsonNode body, int defaultMaxTokens) {
    var fields = new Fields(body, "");
    fields.allow(with("messages", "max_completion_tokens", "top_logprobs"), HARMLESS, NEUTRAL);
    if (fields.get("max_tokens") != null && fields.get("max_completion_tokens") != null) {
      throw fields.refuse("max_tokens", "and \"max_completion_tokens\" mean the same; send one.");
    }
    int limit = fields.integer("max_tokens", defaultMaxTokens, 1, Integer.MAX_VALUE);
    limit = fields.integer("max_completion_tokens", limit, 1, Integer.MAX_VALUE);
    boolean logprobs = fields.flag("logprobs");
    int top = fields.integer("top_logprobs", 0, 0, MAX_TOP);
    if (top > 0 && !logprobs) {
      throw fields.refuse("top_logprobs", "needs \"logprobs\" to be true.");
    }
    return read(
        tenant, fields, messages(fields), SamplingFields.read(fields, limit, top), logprobs);
  }

  /** Reads the body of {@code POST /v1/completions}. */
  static OpenAiRequest completion(Tenant tenant, JsonNode body, int defaultMaxTokens) {
    var fields = new Fields(body, "");
    fields.allow(with("prompt"), HARMLESS, NEUTRAL);
    int limit = fields.integer("max_tokens", defaultMaxTokens, 1, Integer.MAX_VALUE);
    boolean logprobs = fields.get("logprobs") != null;
    int top = fields.integer("logprobs", 0, 0, MAX_TOP);
    Sampling sampling = SamplingFields.read(fields, limit, top);
    return read(tenant, fields, new Prompt.Text(prompt(fields)), sampling, logprobs);
  }

  private static Set<String> with(String... more) {
    var all = new HashSet<>(COMMON);
    all.addAll(SamplingFields.NAMES);
    all.addAll(List.of(more));
    return all;
  }

  private static OpenAiRequest read(
      Tenant tenant, Fields fields, Prompt prompt, Sampling sampling, boolean logprobs) {
    boolean stream = fields.flag("stream");
    boolean usage = includeUsage(fields, stream);
    int n = fields.integer("n", 1, 1, MAX_N);
    String model = fields.text("model", "");
    if (model.isEmpty()) {
      throw fields.refuse("model", "is missing; GET /v1/models lists the names.");
    }
    var question = new Question(tenant, model, prompt, sampling, conversation(fields));
    return new OpenAiRequest(question, n, stream, usage, logprobs);
  }

  private static String conversation(Fields fields) {
    JsonNode metadata = fields.get("metadata");
    return metadata == null ? "" : new Fields(metadata, "metadata").text("conversation_id", "");
  }

  private static boolean includeUsage(Fields fields, boolean stream) {
    JsonNode options = fields.get("stream_options");
    if (options == null) {
      return false;
    }
    if (!stream) {
      throw fields.refuse("stream_options", "is for streams; set \"stream\" to true.");
    }
    var option = new Fields(options, "stream_options");
    option.allow(
        Set.of("include_usage"),
        Set.of(),
        Map.of("include_obfuscation", v -> v.isBoolean() && !v.booleanValue()));
    return option.flag("include_usage");
  }

  private static String prompt(Fields fields) {
    JsonNode prompt = fields.get("prompt");
    if (prompt == null) {
      throw fields.refuse("prompt", "is missing.");
    }
    if (prompt.isArray() && prompt.size() == 1) {
      prompt = prompt.get(0);
    }
    if (!prompt.isTextual()) {
      throw fields.refuse(
          "prompt",
          "must be one string; send several prompts or token ids as requests of their own.");
    }
    return prompt.textValue();
  }

  private static Prompt messages(Fields fields) {
    JsonNode messages = fields.get("messages");
    if (messages == null || !messages.isArray() || messages.isEmpty()) {
      throw fields.refuse("messages", "must be an array of at least one message.");
    }
    var turns = new ArrayList<Prompt.Turn>();
    for (int i = 0; i < messages.size(); i++) {
      turns.add(message(messages.get(i), "messages[" + i + "]"));
    }
    return new Prompt.Chat(turns);
  }

  private static Prompt.Turn message(JsonNode json, String path) {
    var message = new Fields(json, path);
    message.allow(Set.of("role", "content"), Set.of(), Map.of("tool_calls", EMPTY));
    String role = message.text("role", "");
    return switch (role) {
      case "system", "user", "assistant" -> new Prompt.Turn(role, content(message, path));
      // What newer clients call the system's role.
      case "developer" -> new Prompt.Turn("system", content(message, path));
      default ->
          throw message.refuse(
              "role", "must be \"system\", \"developer\", \"user\" or \"assistant\".");
    };
  }

  private static String content(Fields message, String path) {
    JsonNode content = message.get("content");
    if (content == null || !content.isArray()) {
      if (content == null) {
        throw message.refuse("content", "is missing.");
      }
      return message.text("content", "");
    }
    var text = new StringBuilder();
    for (int i = 0; i < content.size(); i++) {
      var part = new Fields(content.get(i), path + ".content[" + i + "]");
      part.allow(Set.of("type", "text"), Set.of(), Map.of());
      if (!part.text("type", "").equals("text")) {
        throw part.refuse("type", "must be \"text\": this model reads text only.");
      }
      text.append(part.text("text", ""));
    }
    return text.toString();
  }
}
