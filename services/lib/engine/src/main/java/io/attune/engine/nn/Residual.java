package io.attune.engine.nn;

import java.util.function.UnaryOperator;

/** How what a sublayer computed joins the stream of hidden states. */
@FunctionalInterface
public interface Residual {
  /** As the model alone has it: the norm of their sum. */
  Residual SUM =
      (out, sublayer, stream, result, norm) ->
          norm.apply(out.value("torch.add(%s, %s)", stream, result));

  /**
   * Emits the stream after a sublayer.
   *
   * @param stream variable that holds the stream before it, [N, E]
   * @param result variable that holds what it made of that, [N, E]
   * @param norm emits the norm that follows the sum in post-norm models; identity in others
   * @return a variable that holds [N, E]
   */
  String emit(
      MethodWriter out,
      Sublayer sublayer,
      String stream,
      String result,
      UnaryOperator<String> norm);

  /** Emits the stream after a sublayer that no norm follows. */
  default String emit(MethodWriter out, Sublayer sublayer, String stream, String result) {
    return emit(out, sublayer, stream, result, UnaryOperator.identity());
  }
}
