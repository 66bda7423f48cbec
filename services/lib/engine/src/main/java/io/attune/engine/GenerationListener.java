package io.attune.engine;

/** Hears one text grow, on the generator's thread: it must not block. */
public interface GenerationListener {

  void onToken(GeneratedToken token);

  /** The last call, when the text is whole. */
  void onComplete(CompletedGeneration generation);

  /** The last call, when there is none; CANCELLED after {@link GenerationHandle#cancel}. */
  void onFailure(EngineException failure);
}
