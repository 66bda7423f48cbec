package io.attune.engine;

/** Hears one text grow, on the generator's thread: it must not block. */
public interface GenerationListener {

  /**
   * @param text what became certain of the text; empty while a character or a possible stop text is
   *     incomplete, and for the token that ends the text
   * @param logProbability natural logarithm, at temperature 1 without truncation
   */
  void onToken(int id, String text, float logProbability);

  /** The last call, when the text is whole. */
  void onComplete(CompletedGeneration generation);

  /** The last call, when there is none; CANCELLED after {@link GenerationHandle#cancel}. */
  void onFailure(EngineException failure);
}
