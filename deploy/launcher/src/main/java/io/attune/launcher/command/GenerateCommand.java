package io.attune.launcher.command;

import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.GenerationListener;
import io.attune.engine.GenerationRequest;
import io.attune.engine.GeneratorOptions;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.TextGenerator;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.token.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune generate}. */
@Command(
    name = "generate",
    description = "Prints what a model answers to a prompt.",
    mixinStandardHelpOptions = true)
public final class GenerateCommand implements Callable<Integer> {
  @Mixin private ModelOptions model;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      required = true,
      description = "A user's message where the model has a chat template; else text to continue.")
  private String prompt;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system message before it, for the chat template.")
  private String system;

  @Option(names = "--raw", description = "Continue the prompt itself, without the chat template.")
  private boolean raw;

  @Option(names = "--greedy", description = "Always take the likeliest token.")
  private boolean greedy;

  @Option(names = "--temperature", description = "Default: ${DEFAULT-VALUE}.")
  private double temperature = 0.7;

  @Option(names = "--top-k", description = "Keep the k likeliest tokens; 0 (default) keeps all.")
  private int topK;

  @Option(names = "--top-p", description = "Keep the likeliest tokens that reach p. Default: 1.")
  private double topP = 1;

  @Option(names = "--seed", description = "Makes sampling repeatable.")
  private Long seed;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer; may be repeated.")
  private List<String> stop = new ArrayList<>();

  @Option(names = "--max-new-tokens", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private int maxNewTokens = 128;

  @Override
  public Integer call() {
    SamplingParameters sampling =
        new SamplingParameters(
            greedy ? 0 : temperature,
            topK,
            topP,
            maxNewTokens,
            stop,
            seed == null ? OptionalLong.empty() : OptionalLong.of(seed));
    try (LanguageModel base = model.load();
        LoadedAdapter adapter = model.loadAdapter(base)) {
      int[] tokens = tokens(base);
      int virtual = adapter == null ? 0 : adapter.virtualTokens();
      long needed = (long) virtual + tokens.length + maxNewTokens;
      int capacity = (int) Math.min(Integer.MAX_VALUE, needed);
      CompletableFuture<CompletedGeneration> done = new CompletableFuture<>();
      try (TextGenerator generator =
          new TextGenerator(base, new GeneratorOptions(1, Math.max(2, capacity)))) {
        generator.submit(new GenerationRequest(tokens, adapter, sampling), printer(done));
        done.join();
      } catch (CompletionException e) {
        throw e.getCause() instanceof EngineException known ? known : e;
      }
    }
    System.out.println();
    return 0;
  }

  private int[] tokens(LanguageModel base) {
    Optional<String> chat =
        raw ? Optional.empty() : base.chatTemplate().map(t -> t.render(messages(), true));
    return chat.map(text -> base.tokenizer().encode(text, false))
        .orElseGet(() -> base.tokenizer().encode(prompt, true));
  }

  private List<ChatMessage> messages() {
    ChatMessage user = new ChatMessage("user", prompt);
    return system == null ? List.of(user) : List.of(new ChatMessage("system", system), user);
  }

  private static GenerationListener printer(CompletableFuture<CompletedGeneration> done) {
    return new GenerationListener() {
      @Override
      public void onToken(int id, String text, float logProbability) {
        System.out.print(text);
        System.out.flush();
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
  }
}
