package io.attune.engine;

/**
 * How a model is loaded.
 *
 * @param threads threads of the process's one libtorch; 0 leaves them as they are
 * @param writable whether weights are copied so that training may change them; else they stay
 *     mapped files
 */
public record LoadOptions(int threads, boolean writable) {
  public static LoadOptions defaults() {
    return new LoadOptions(0, false);
  }

  public LoadOptions withThreads(int count) {
    return new LoadOptions(count, writable);
  }
}
