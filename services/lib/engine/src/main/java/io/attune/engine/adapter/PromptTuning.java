package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import java.util.List;

/**
 * Prompt tuning (Lester et al., arXiv 2104.08691): trained embeddings [P, E] of virtual tokens
 * before each text.
 */
class PromptTuning extends VirtualTokenAdapter {
  private static final List<String> INITIALISATIONS = List.of("RANDOM", "SAMPLE_VOCAB", "TEXT");

  PromptTuning(AdapterConfig config, BaseModel base) {
    super(config, base, model -> model.embedding().size());
    config.choice("prompt_tuning_init", "RANDOM", INITIALISATIONS);
  }

  final Shape shape() {
    return new Shape(count, table.size());
  }

  @Override
  final void read(TensorReader file) {
    tensors.read(file, EMBEDDINGS, EMBEDDINGS, shape(), true);
    whole.read(file);
  }

  @Override
  void initialise(Start start) {
    describe(table.size(), base.heads().queries());
    Draws draws = new Draws(start.seed(), "prompt-tuning");
    float[] values =
        switch (config.text("prompt_tuning_init", "RANDOM")) {
          case "SAMPLE_VOCAB" -> {
            int[] ids = new int[count];
            for (int i = 0; i < count; i++) {
              ids[i] = draws.below(table.vocabulary());
            }
            yield rows(ids);
          }
          case "TEXT" -> rows(textIds(start));
          default -> draws.normal(shape().size(), 1);
        };
    tensors.add(EMBEDDINGS, EMBEDDINGS, tensors.scope().create(values, shape()), true);
    whole.initialise(start);
  }

  /** The text's ids, cut or repeated to the number of virtual tokens. */
  private int[] textIds(Start start) {
    int[] text = start.tokenizer().apply(config.text("prompt_tuning_init_text", ""));
    if (text.length == 0) {
      throw config.invalid("prompt_tuning_init_text", "has no token");
    }
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      ids[i] = text[i % text.length];
    }
    return ids;
  }

  private float[] rows(int[] ids) {
    float[] values = new float[count * table.size()];
    for (int i = 0; i < count; i++) {
      try (NDArray row = base.weights().apply(table.weight()).get(ids[i])) {
        System.arraycopy(row.toFloatArray(), 0, values, i * table.size(), table.size());
      }
    }
    return values;
  }

  /** Emits the embeddings of the virtual tokens, [P, E]. */
  String emitPrompt(MethodWriter out, boolean training) {
    return out.weight(EMBEDDINGS);
  }

  @Override
  public final int promptLength() {
    return count;
  }

  @Override
  public final Seams wrap(Seams inner, boolean training) {
    Projection dense = inner.projection();
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return dense.emit(out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding asked) {
            String found = whole.lookup(dense, out, emitReal(out, ids), asked);
            return out.value(
                "torch.where(torch.unsqueeze(%s, 1), torch.embedding(%s, %s), %s)",
                emitIsVirtual(out, ids), emitPrompt(out, training), emitPlaces(out, ids), found);
          }
        };
    return inner.withProjection(projection);
  }
}
