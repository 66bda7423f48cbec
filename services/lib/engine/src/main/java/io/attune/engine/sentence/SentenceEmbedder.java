package io.attune.engine.sentence;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;
import java.util.Locale;

/**
 * Makes one vector of a text's hidden states. Immutable and thread-safe.
 *
 * <p>A folder without {@code modules.json} gets what sentence-transformers gives it: the mean over
 * tokens, as it is.
 */
public final class SentenceEmbedder implements AutoCloseable {
  private final NDManager scope;
  private final SentenceModules modules;
  private final Program program;
  private final List<NDArray> weights;

  private SentenceEmbedder(NDManager scope, SentenceModules modules) {
    this.scope = scope;
    this.modules = modules;
    MethodWriter out = new MethodWriter();
    String shape = "[torch.size(pad, 0), torch.size(pad, 1), -1]";
    String x = out.value("torch.index_select(h, 0, torch.reshape(pad, [-1]))"); // [B * T, E]
    x = out.value("torch.view(%s, %s)", x, shape);
    x = modules.pooling().emit(out, x, "mask");
    for (Step step : modules.steps()) {
      x = step.emit(out, x);
    }
    out.line("return %s", x);
    String w = out.weights().isEmpty() ? "" : ", w: List[Tensor]"; // an empty list is no argument
    program =
        TorchPrograms.compile(
            out.method(
                "embed", "(self: SELF, h: Tensor, pad: Tensor, mask: Tensor" + w + ") -> Tensor"));
    weights = out.weights().stream().map(modules.weights()::get).toList();
  }

  /**
   * Reads the files of sentence-transformers; refuses, by name, modules that are not implemented.
   *
   * @param hiddenSize the encoder's
   */
  public static SentenceEmbedder open(HubLayout layout, int hiddenSize) {
    NDManager scope = Torch.scope("sentence");
    boolean opened = false;
    try {
      SentenceEmbedder embedder =
          new SentenceEmbedder(scope, SentenceModules.read(layout, hiddenSize, scope));
      opened = true;
      return embedder;
    } finally {
      if (!opened) {
        scope.close();
      }
    }
  }

  /** Components of an embedding. */
  public int size() {
    return modules.size();
  }

  /** Tokens of a text at most, special tokens included; 0 where nothing is said. */
  public int maxTokens() {
    return modules.maxTokens();
  }

  /**
   * A text as it is tokenized: after the model's prompt, in lower case if the model asks for it.
   */
  public String prepare(String text) {
    String whole = modules.prompt() + text;
    if (!modules.lowerCase()) {
      return whole;
    }
    // Each character for itself, as the tokenizer's own normaliser does.
    StringBuilder lower = new StringBuilder();
    whole.codePoints().forEach(c -> lower.append(Character.toString(c).toLowerCase(Locale.ROOT)));
    return lower.toString();
  }

  /**
   * Embeddings, [B, size]; recorded where the thread's grad mode is on.
   *
   * @param hidden [N, E]
   * @param pad [B, T]: which of the N tokens stands at each place of a padded layout
   * @param mask [B, T, 1]: 1 where there is a token of the text, 0 elsewhere
   */
  public NDArray embed(NDManager into, NDArray hidden, NDArray pad, NDArray mask) {
    return program.run(into, "embed", new NDList(hidden, pad, mask), weights).get(0);
  }

  @Override
  public void close() {
    scope.close();
  }
}
