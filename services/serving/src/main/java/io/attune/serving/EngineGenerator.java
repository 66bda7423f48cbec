package io.attune.serving;

import io.attune.common.v1.ErrorCode;
import io.attune.engine.CompletedGeneration;
import io.attune.engine.EngineException;
import io.attune.engine.GeneratedToken;
import io.attune.engine.GenerationHandle;
import io.attune.engine.GenerationListener;
import io.attune.engine.GenerationRequest;
import io.attune.engine.GeneratorOptions;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextGenerator;
import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.token.ChatMessage;
import io.attune.platform.error.PlatformException;
import io.attune.serving.generate.Finish;
import io.attune.serving.generate.Generator;
import io.attune.serving.generate.Prompt;
import io.attune.serving.generate.Sampling;
import io.attune.serving.generate.Token;
import io.attune.serving.generate.TokenText;
import io.quarkus.runtime.Startup;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The engine's generator; loaded before the service takes calls. */
@Startup
@Singleton
public class EngineGenerator implements Generator {

  private final LanguageModel model;
  private final TextGenerator generator;
  private final Examples examples;

  public EngineGenerator(
      @ConfigProperty(name = "attune.base-model") Path folder,
      @ConfigProperty(name = "attune.threads", defaultValue = "2") int threads,
      @ConfigProperty(name = "attune.dtype", defaultValue = "float32") String dtype,
      ServingConfig config) {
    LoadOptions options = LoadOptions.defaults().withThreads(threads).withDtype(dtype);
    this.model = LanguageModel.load(folder, options);
    this.generator =
        new TextGenerator(model, new GeneratorOptions(config.maxConcurrent(), config.maxContext()));
    this.examples =
        new Examples(
            model.tokenizer(), model.chatTemplate(), model.eosTokenIds(), generator.capacity());
    // Its table is made now, not in the middle of the first answers that tell log-probabilities.
    model.tokenizer().bytes(0);
  }

  private record EngineAdapter(io.attune.engine.LoadedAdapter adapter) implements LoadedAdapter {
    @Override
    public void close() {
      adapter.close();
    }
  }

  @Override
  public String contractSha256() {
    return model.contractSha256();
  }

  @Override
  public int contextLength() {
    return generator.capacity();
  }

  @Override
  public int[] encode(Prompt prompt) {
    if (prompt instanceof Prompt.Chat && model.chatTemplate().isEmpty()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "This base model has no chat template; send a prompt of plain text.");
    }
    try {
      return examples.prompt(content(prompt));
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  private static Content content(Prompt prompt) {
    if (prompt instanceof Prompt.Text text) {
      return new Content.Text(text.text());
    }
    return new Content.Messages(
        ((Prompt.Chat) prompt)
            .turns().stream().map(turn -> new ChatMessage(turn.role(), turn.content())).toList());
  }

  @Override
  public TokenText tokenText(int id) {
    byte[] bytes = model.tokenizer().bytes(id);
    return bytes.length == 0
        ? new TokenText(model.tokenizer().decode(new int[] {id}, false), bytes)
        : TokenText.of(bytes);
  }

  @Override
  public void check(Sampling sampling) {
    try {
      sampling.parameters().requireWithin(model.config().vocabSize());
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  @Override
  public LoadedAdapter load(Path folder) {
    try {
      io.attune.engine.LoadedAdapter adapter = model.loadAdapter(folder);
      // Compiled now, not in the middle of the first answers.
      adapter.decoder();
      return new EngineAdapter(adapter);
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  @Override
  public Running submit(
      int[] prompt, Optional<LoadedAdapter> adapter, Sampling sampling, Listener listener) {
    var loaded = adapter.map(handle -> ((EngineAdapter) handle).adapter()).orElse(null);
    try {
      GenerationHandle handle =
          generator.submit(
              new GenerationRequest(prompt, loaded, sampling.parameters()), new Forward(listener));
      return handle::cancel;
    } catch (EngineException refused) {
      throw translate(refused);
    }
  }

  private record Forward(Listener listener) implements GenerationListener {
    @Override
    public void onToken(GeneratedToken token) {
      List<Token.Likely> top =
          token.top().stream().map(t -> new Token.Likely(t.id(), t.logProbability())).toList();
      listener.token(new Token(token.id(), token.text(), token.logProbability(), top));
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      listener.complete(generation.text(), generation.stopped() ? Finish.STOP : Finish.LENGTH);
    }

    @Override
    public void onFailure(EngineException failure) {
      listener.failed(translate(failure));
    }
  }

  private static PlatformException translate(EngineException refused) {
    ErrorCode code =
        switch (refused.reason()) {
          case INVALID_ARGUMENT, TOO_LONG -> ErrorCode.ERROR_CODE_INVALID_ARGUMENT;
          case UNSUPPORTED, INCOMPATIBLE -> ErrorCode.ERROR_CODE_INCOMPATIBLE;
          case CORRUPT, IO -> ErrorCode.ERROR_CODE_CORRUPT;
          case TOO_LITTLE_DATA -> ErrorCode.ERROR_CODE_TOO_LITTLE_DATA;
          case DIVERGED -> ErrorCode.ERROR_CODE_DIVERGED;
          case OVERLOADED -> ErrorCode.ERROR_CODE_OVERLOADED;
          case CANCELLED -> ErrorCode.ERROR_CODE_CANCELLED;
        };
    return new PlatformException(code, refused.getMessage(), refused);
  }

  @Override
  @PreDestroy
  public void close() {
    generator.close();
    model.close();
  }
}
