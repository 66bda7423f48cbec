package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.SafeTensors;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Compares what {@code attune logits} wrote with what the reference computed. */
final class ReferenceLogits {
  private ReferenceLogits() {}

  /**
   * To 1e-4, with the reference's shape; that of a prompt counts its virtual tokens, before each
   * row's own.
   *
   * @param tensor of the reference's file: {@code logits} or {@code merged_logits}
   * @param mask where there are tokens, [rows, tokens]; null where all logits count
   */
  static void assertAgree(Path result, Path reference, String tensor, JsonNode mask) {
    try (SafeTensors a = SafeTensors.open(result);
        SafeTensors b = SafeTensors.open(reference)) {
      long[] shape = a.info("logits").shape();
      assertThat(shape).isEqualTo(b.info(tensor).shape());
      int values = (int) shape[shape.length - 1];
      int width = shape.length == 3 ? (int) shape[1] : 1;
      int prompt = mask == null ? 0 : width - mask.get(0).size();
      ByteBuffer found = a.data("logits");
      ByteBuffer expected = b.data(tensor);
      int compared = 0;
      for (int place = 0; place < shape[0] * width; place++) {
        int token = place % width - prompt;
        if (mask != null && token >= 0 && mask.get(place / width).get(token).asInt() == 0) {
          continue;
        }
        for (int i = place * values; i < (place + 1) * values; i++) {
          assertThat(found.getFloat(Float.BYTES * i))
              .as("%s of place %d, value %d", tensor, place, i % values)
              .isCloseTo(expected.getFloat(Float.BYTES * i), within(1e-4f));
          compared++;
        }
      }
      assertThat(compared).isPositive();
    }
  }

  /** The loss beside the logits, to 1e-5. */
  static void assertLoss(Path result, JsonNode expected) {
    try (SafeTensors file = SafeTensors.open(result)) {
      assertThat(file.data("loss").getFloat(0))
          .isCloseTo(expected.get("loss").floatValue(), within(1e-5f));
    }
  }
}
