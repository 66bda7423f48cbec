package io.attune.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.token.ChatMessage;
import java.nio.file.Files;
import java.nio.file.Path;
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
      int[] ids = model.tokenizer().encode(Files.readString(Path.of(args[1])), true);
      readText(
          model, Arrays.copyOf(ids, Integer.parseInt(args[2])), Integer.parseInt(args[3]), report);
      ArrayNode answers = report.putArray("answers");
      for (JsonNode prompt : JSON.readTree(Path.of(args[4]).toFile())) {
        answer(model, prompt.asText(), Integer.parseInt(args[5]), answers.addObject());
      }
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

  private static void answer(LanguageModel model, String prompt, int tokens, ObjectNode into) {
    String text =
        model.chatTemplate().orElseThrow().render(List.of(new ChatMessage("user", prompt)), true);
    int[] ids = model.tokenizer().encode(text, false);
    into.put("prompt", prompt);
    Arrays.stream(ids).forEach(into.putArray("prompt_ids")::add);
    ArrayNode answered = into.putArray("answer_ids");
    CompletableFuture<CompletedGeneration> done = new CompletableFuture<>();
    GenerationListener listener =
        new GenerationListener() {
          @Override
          public void onToken(int id, String piece, float logProbability) {
            answered.add(id);
          }

          @Override
          public void onComplete(CompletedGeneration generation) {
            done.complete(generation);
          }

          @Override
          public void onFailure(EngineException failure) {
            done.completeExceptionally(failure);
          }
        };
    try (TextGenerator generator =
        new TextGenerator(model, new GeneratorOptions(1, ids.length + tokens))) {
      generator.submit(
          new GenerationRequest(ids, null, SamplingParameters.greedy(tokens)), listener);
      into.put("answer", done.join().text());
    }
  }
}
