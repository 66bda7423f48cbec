package io.attune.engine.nn;

/**
 * The part of an attention layer between its projections: how queries meet keys and values.
 *
 * <p>A model emits projections and positions; whether keys come from the same tokens (training) or
 * from a cache (generation) is decided here.
 */
public interface Attention {
  /** Sizes of one layer's attention; {@code scale} multiplies the products of query and key. */
  record Heads(int queries, int keyValues, int size, double scale) {
    public int groups() {
      return queries / keyValues;
    }
  }

  /**
   * What one layer's attention is.
   *
   * @param layer index in its stack
   * @param causal whether a token sees only those before it (and itself)
   * @param window how many tokens back a token sees, itself included; 0 for all
   * @param softcap bounds each product to +-softcap by a tanh (Gemma 2); 0 for none
   * @param biased whether the stack's state has a variable {@code bias} that is added to the
   *     products
   */
  record Form(Heads heads, int layer, boolean causal, int window, double softcap, boolean biased) {
    public static Form causal(Heads heads, int layer) {
      return new Form(heads, layer, true, 0, 0, false);
    }

    public static Form bidirectional(Heads heads, int layer) {
      return new Form(heads, layer, false, 0, 0, false);
    }

    public Form withWindow(int tokens) {
      return new Form(heads, layer, causal, tokens, softcap, biased);
    }

    public Form withSoftcap(double cap) {
      return new Form(heads, layer, causal, window, cap, biased);
    }

    public Form withBias() {
      return new Form(heads, layer, causal, window, softcap, true);
    }
  }

  /**
   * The parameters that a stack's methods take for it, besides {@code h}, the stack's state and
   * {@code w}; {@code ids} [N] is always among them.
   */
  String parameters();

  /**
   * The arguments that pass those parameters on to a method; {@code LAYER} is its layer's index.
   */
  String arguments();

  /**
   * Emits attention for one layer.
   *
   * @param query variable holding [N, H, D], positions already applied
   * @param key variable holding [N, K, D], positions already applied
   * @param value variable holding [N, K, D]
   * @return a variable holding [N, H * D]
   */
  String emit(MethodWriter out, Form form, String query, String key, String value);

  /**
   * Emits the distance from each query to each key, to be used where a stack's state begins.
   *
   * @return a variable holding key position minus query position, int64, [b, T, S] with b 1 where
   *     all rows agree
   */
  String emitDistances(MethodWriter out);

  /**
   * Emits how long the texts are, as far as they are known, to be used where a stack's state begins
   * (whose {@code positions} are there).
   *
   * @return a variable holding [R] int64, for R parts of equally many tokens each: one for a whole
   *     batch, that of its longest text, in training; one for each row in generation, or for each
   *     token where rows are uneven
   */
  String emitLengths(MethodWriter out);
}
