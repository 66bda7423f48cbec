package io.attune.engine.nn;

import org.jspecify.annotations.Nullable;

/**
 * Where a model's code is open: what decides how its parts are computed.
 *
 * @param projection linear layers and embeddings
 * @param attention tokens among themselves
 * @param cross tokens and an encoder's memory; null for a stack that has none
 * @param residual sublayers and the stream that they add to
 * @param dropout whether the model's own dropout applies: only while it is trained
 */
public record Seams(
    Projection projection,
    Attention attention,
    @Nullable CrossAttention cross,
    Residual residual,
    boolean dropout) {
  public Seams(Projection projection, Attention attention) {
    this(projection, attention, null);
  }

  public Seams(Projection projection, Attention attention, @Nullable CrossAttention cross) {
    this(projection, attention, cross, false);
  }

  public Seams(
      Projection projection, Attention attention, @Nullable CrossAttention cross, boolean dropout) {
    this(projection, attention, cross, Residual.SUM, dropout);
  }

  public Seams withProjection(Projection other) {
    return new Seams(other, attention, cross, residual, dropout);
  }

  public Seams withAttention(Attention other) {
    return new Seams(projection, other, cross, residual, dropout);
  }

  public Seams withResidual(Residual other) {
    return new Seams(projection, attention, cross, other, dropout);
  }

  /**
   * Emits dropout (Srivastava et al., JMLR 15, 2014): each element becomes zero with the given
   * probability, what is left is scaled up to the same mean.
   *
   * @return a variable like {@code x}, or {@code x} itself where nothing is dropped
   */
  public String drop(MethodWriter out, String x, double probability) {
    return dropout && probability > 0
        ? out.value("torch.dropout(%s, %s, True)", x, MethodWriter.number(probability))
        : x;
  }

  /** What a stack's methods take for attention. */
  public String parameters() {
    return cross == null
        ? attention.parameters()
        : attention.parameters() + ", " + cross.parameters();
  }

  /** What passes it on to the method of layer {@code layer}. */
  public String arguments(int layer) {
    String all =
        cross == null ? attention.arguments() : attention.arguments() + ", " + cross.arguments();
    return all.replace("LAYER", Integer.toString(layer));
  }
}
