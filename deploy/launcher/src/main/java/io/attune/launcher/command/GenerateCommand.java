package io.attune.launcher.command;

import io.attune.engine.CancelSignal;
import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.GeneratedToken;
import io.attune.engine.GenerationListener;
import io.attune.engine.GenerationRequest;
import io.attune.engine.GeneratorOptions;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.LoadedSequenceAdapter;
import io.attune.engine.PretrainedModel;
import io.attune.engine.SequenceGenerator;
import io.attune.engine.SequenceRequest;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.TextGenerator;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.ScoredText;
import io.attune.engine.generate.TokenConstraints;
import io.attune.engine.generate.TokenLogProbability;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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

  @Option(
      names = "--min-p",
      description = "Drop tokens less likely than this share of the likeliest one. Default: 0.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      description = "Make tokens of prompt and answer less likely; 1 (default) changes nothing.")
  private double repetitionPenalty = 1;

  @Option(
      names = "--presence-penalty",
      description = "Taken from the logits of tokens of the answer, -2 to 2. Default: 0.")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      description = "Taken for each time that the answer has the token, -2 to 2. Default: 0.")
  private double frequencyPenalty;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID=BIAS",
      description = "Added to the logit of a token id, -100 to 100; may be repeated.")
  private Map<Integer, Double> logitBias = new HashMap<>();

  @Option(names = "--seed", description = "Makes sampling repeatable.")
  private Long seed;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer; may be repeated.")
  private List<String> stop = new ArrayList<>();

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description =
          "Print each token's log-probability and those of the N likeliest (0 to 20), not the text.")
  private Integer logprobs;

  @Option(names = "--max-new-tokens", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private int maxNewTokens = 128;

  @Mixin private SearchOptions search;

  @Override
  public Integer call() {
    SamplingParameters sampling = sampling();
    try (PretrainedModel base = model.load()) {
      if (base instanceof LanguageModel languageModel) {
        search.requireUnused();
        write(languageModel, sampling);
      } else if (base instanceof SequenceToSequence encoderDecoder) {
        write(encoderDecoder, sampling);
      } else {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            base.folder()
                + " holds a model that writes no text ('model_type' "
                + base.config().modelType()
                + ")");
      }
    } catch (CompletionException e) {
      throw e.getCause() instanceof EngineException known ? known : e;
    }
    return 0;
  }

  private void write(LanguageModel base, SamplingParameters sampling) {
    try (LoadedAdapter adapter = model.loadAdapter(base)) {
      int[] tokens = tokens(base);
      int virtual = adapter == null ? 0 : adapter.virtualTokens();
      long needed = (long) virtual + tokens.length + maxNewTokens;
      int capacity = (int) Math.min(Integer.MAX_VALUE, needed);
      CompletableFuture<CompletedGeneration> done = new CompletableFuture<>();
      try (TextGenerator generator =
          new TextGenerator(base, new GeneratorOptions(1, Math.max(2, capacity)))) {
        generator.submit(
            new GenerationRequest(tokens, adapter, sampling), printer(done, base.tokenizer()));
        done.join();
      }
    }
    System.out.println();
  }

  private void write(SequenceToSequence base, SamplingParameters sampling) {
    BeamSearchParameters parameters = search.parameters(base.generationDefaults(), greedy);
    TokenConstraints constraints = search.constraints(base, maxNewTokens);
    int[] source = tokens(base);
    try (LoadedSequenceAdapter adapter = model.loadAdapter(base)) {
      if (parameters.numBeams() > 1) {
        print(base, base.search(List.of(source), adapter, parameters(parameters), constraints));
        return;
      }
      CompletableFuture<CompletedGeneration> done = new CompletableFuture<>();
      new SequenceGenerator(base)
          .generate(
              new SequenceRequest(source, adapter, sampling, constraints),
              printer(done, base.tokenizer()),
              CancelSignal.NEVER);
      done.join();
      System.out.println();
    }
  }

  /** Refuses what a search has no use for. */
  private BeamSearchParameters parameters(BeamSearchParameters parameters) {
    if (greedy || seed != null || topK != 0 || topP != 1 || !stop.isEmpty()) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "a search with "
              + parameters.numBeams()
              + " beams knows no --greedy, --top-k, --top-p, --seed or --stop; --num-beams 1 does");
    }
    return parameters;
  }

  private static void print(SequenceToSequence base, List<List<ScoredText>> found) {
    for (ScoredText text : found.get(0)) {
      String score = found.get(0).size() == 1 ? "" : "%.4f\t".formatted(text.score());
      System.out.println(score + base.tokenizer().decode(text.tokens(), true));
    }
  }

  private SamplingParameters sampling() {
    return SamplingParameters.builder()
        .temperature(greedy ? 0 : temperature)
        .topK(topK)
        .topP(topP)
        .minP(minP)
        .repetitionPenalty(repetitionPenalty)
        .presencePenalty(presencePenalty)
        .frequencyPenalty(frequencyPenalty)
        .logitBias(logitBias)
        .topLogProbabilities(logprobs == null ? 0 : logprobs)
        .maxNewTokens(maxNewTokens)
        .stop(stop)
        .seed(seed == null ? OptionalLong.empty() : OptionalLong.of(seed))
        .build();
  }

  private int[] tokens(PretrainedModel base) {
    Optional<String> chat =
        raw ? Optional.empty() : base.chatTemplate().map(t -> t.render(messages(), true));
    return chat.map(text -> base.tokenizer().encode(text, false))
        .orElseGet(() -> base.tokenizer().encode(prompt, true));
  }

  private List<ChatMessage> messages() {
    ChatMessage user = new ChatMessage("user", prompt);
    return system == null ? List.of(user) : List.of(new ChatMessage("system", system), user);
  }

  private GenerationListener printer(
      CompletableFuture<CompletedGeneration> done, Tokenizer tokenizer) {
    return new GenerationListener() {
      @Override
      public void onToken(GeneratedToken token) {
        System.out.print(logprobs == null ? token.text() : logprobs(token, tokenizer));
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

  /** One line: the token, then the likeliest ones at its place. */
  private static String logprobs(GeneratedToken token, Tokenizer tokenizer) {
    var line = new StringBuilder(logprob(token.id(), token.logProbability(), tokenizer));
    for (TokenLogProbability likely : token.top()) {
      line.append("  ").append(logprob(likely.id(), likely.logProbability(), tokenizer));
    }
    return line.append(System.lineSeparator()).toString();
  }

  private static String logprob(int id, float logProbability, Tokenizer tokenizer) {
    String text = tokenizer.decode(new int[] {id}, false).replace("\n", "\\n");
    return String.format(Locale.ROOT, "%d '%s' %.4f", id, text, logProbability);
  }
}
