package io.attune.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.token.ChatMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What a model computes, as JSON, to be compared with what a reference computes from the same
 * folder and the same ids: the log-probability of each token of a text that is read in windows, the
 * perplexity, and greedy answers to prompts through the chat template.
 *
 * <p>Arguments: model folder, text file, tokens of it that are read, tokens of a window, JSON array
 * of prompts, max_new_tokens, result. The result has {@code windows} and {@code answers}, each with
 * the ids that the reference should read, and {@code perplexity}.
 */
final class ModelReport {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ModelReport() {}

  public static void main(String[] args) throws Exception {
    ObjectNode report = JSON.createObjectNode();
    try (LanguageModel model = LanguageModel.load(Path.of(args[0]), LoadOptions.defaults())) {
      answer(model, JSON.readTree(Path.of(args[4]).toFile()), Integer.parseInt(args[5]), report);
      int[] ids = model.tokenizer().encode(Files.readString(Path.of(args[1])), true);
      readText(
          model, Arrays.copyOf(ids, Integer.parseInt(args[2])), Integer.parseInt(args[3]), report);
    }
    JSON.writeValue(Path.of(args[6]).toFile(), report);
  }

  private static void readText(LanguageModel model, int[] ids, int window, ObjectNode report) {
    ArrayNode windows = report.putArray("windows");
    double sum = 0;
    long tokens = 0;
    for (int start = 0; start < ids.length; start += window) {
      int[] part = Arrays.copyOfRange(ids, start, Math.min(ids.length, start + window));
      float[] logits = model.logits(List.of(part), null, false).get(0);
      ObjectNode node = windows.addObject();
      Arrays.stream(part).forEach(node.putArray("ids")::add);
      ArrayNode logProbabilities = node.putArray("log_probabilities");
      for (int t = 1; t < part.length; t++) {
        double value = logProbability(logits, t - 1, part[t], model.config().vocabSize());
        logProbabilities.add(value);
        sum += value;
        tokens++;
      }
    }
    report.put("tokens", tokens).put("perplexity", Math.exp(-sum / tokens));
  }

  private static double logProbability(float[] logits, int position, int token, int vocabulary) {
    int from = position * vocabulary;
    double max = Double.NEGATIVE_INFINITY;
    for (int v = 0; v < vocabulary; v++) {
      max = Math.max(max, logits[from + v]);
    }
    double sum = 0;
    for (int v = 0; v < vocabulary; v++) {
      sum += Math.exp(logits[from + v] - max);
    }
    return logits[from + token] - max - Math.log(sum);
  }

  /** All prompts at once, as a server would. */
  private static void answer(LanguageModel model, JsonNode prompts, int tokens, ObjectNode report) {
    ArrayNode answers = report.putArray("answers");
    List<CompletableFuture<CompletedGeneration>> all = new ArrayList<>();
    try (TextGenerator generator =
        new TextGenerator(model, new GeneratorOptions(prompts.size(), 256 + tokens))) {
      for (JsonNode prompt : prompts) {
        List<ChatMessage> messages = List.of(new ChatMessage("user", prompt.asText()));
        String text = model.chatTemplate().orElseThrow().render(messages, true);
        int[] ids = model.tokenizer().encode(text, false);
        ObjectNode answer = answers.addObject().put("prompt", prompt.asText());
        Arrays.stream(ids).forEach(answer.putArray("prompt_ids")::add);
        Listener listener = new Listener(answer.putArray("answer_ids"), new CompletableFuture<>());
        all.add(listener.done);
        generator.submit(
            new GenerationRequest(ids, null, SamplingParameters.greedy(tokens)), listener);
      }
      for (int i = 0; i < all.size(); i++) {
        ((ObjectNode) answers.get(i)).put("answer", all.get(i).join().text());
      }
    }
  }

  private record Listener(ArrayNode ids, CompletableFuture<CompletedGeneration> done)
      implements GenerationListener {
    @Override
    public void onToken(GeneratedToken token) {
      ids.add(token.id());
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      done.complete(generation);
    }

    @Override
    public void onFailure(EngineException failure) {
      done.completeExceptionally(failure);
    }
  }
}
