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

  /** The method's parameters besides {@code h}, {@code cos}, {@code sin} and {@code w}. */
  String parameters();

  /** The arguments that pass those parameters on to a layer method. */
  String arguments();

  /**
   * Emits attention for one layer.
   *
   * @param query variable holding [N, H, D], positions already applied
   * @param key variable holding [N, K, D], positions already applied
   * @param value variable holding [N, K, D]
   * @return a variable holding [N, H * D]
   */
  String emit(MethodWriter out, Heads heads, String query, String key, String value);
}
