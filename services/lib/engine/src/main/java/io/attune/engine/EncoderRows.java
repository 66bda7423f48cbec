package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.model.EncoderNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What belongs to each text of a batch. */
final class EncoderRows {
  private EncoderRows() {}

  /** The rows of [B, X]. */
  static List<float[]> ofTexts(NDArray matrix) {
    float[] all = matrix.toFloatArray();
    int rows = Math.toIntExact(matrix.getShape().get(0));
    int width = all.length / rows;
    List<float[]> result = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      result.add(Arrays.copyOfRange(all, i * width, (i + 1) * width));
    }
    return result;
  }

  /** The rows of [N, X] that belong to each text's own tokens. */
  static List<float[]> ofTokens(NDArray matrix, EncoderNetwork.Batch batch) {
    float[] all = matrix.toFloatArray();
    int width = all.length / batch.tokens().tokens();
    List<float[]> result = new ArrayList<>();
    for (int i = 0; i < batch.lengths().length; i++) {
      int start = batch.tokens().starts()[i] * width;
      result.add(Arrays.copyOfRange(all, start, start + batch.lengths()[i] * width));
    }
    return result;
  }

  /** 1 for each text's own tokens, in the padded layout: [B, T, 1]. */
  static NDArray mask(NDManager scope, EncoderNetwork.Batch batch) {
    Shape layout = batch.tokens().pad().getShape();
    int width = Math.toIntExact(layout.get(1));
    float[] mask = new float[Math.toIntExact(layout.size())];
    for (int i = 0; i < batch.lengths().length; i++) {
      Arrays.fill(mask, i * width, i * width + batch.lengths()[i], 1);
    }
    return scope.create(mask, new Shape(layout.get(0), width, 1));
  }
}
