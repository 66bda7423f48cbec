package io.attune.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class RelativeBiasTest {

  /**
   * The learned numbers are the buckets' own, so that the bias tells which one a distance is in.
   */
  @Test
  void everyDistanceIsInTheReferencesBucket() throws IOException {
    JsonNode golden = Golden.json("relative-bias/buckets.json");
    for (JsonNode expected : golden.get("cases")) {
      int buckets = expected.get("buckets").asInt();
      RelativeBias bias =
          new RelativeBias(
              "bias",
              expected.get("bidirectional").asBoolean(),
              buckets,
              expected.get("maxDistance").asInt());
      MethodWriter out = new MethodWriter();
      out.line("return " + bias.emit(out, "distances"));
      String program =
          out.method("bias", "(self: SELF, distances: Tensor, w: List[Tensor]) -> Tensor");
      int[] wanted = Golden.ints(expected.get("expected"));
      long[] distances = new long[wanted.length];
      for (int i = 0; i < distances.length; i++) {
        distances[i] = golden.get("first").asInt() + i;
      }
      try (NDManager scope = Torch.scope("test")) {
        NDArray own = scope.arange(0f, buckets).reshape(buckets, 1);
        NDArray at = scope.create(distances, new Shape(1, 1, distances.length));
        NDArray result =
            TorchPrograms.compile(program).run(scope, "bias", new NDList(at), List.of(own)).get(0);
        assertThat(result.getShape()).isEqualTo(new Shape(1, 1, 1, distances.length));
        float[] found = result.toFloatArray();
        for (int i = 0; i < found.length; i++) {
          assertThat((int) found[i]).as("%s at %d", bias, distances[i]).isEqualTo(wanted[i]);
        }
      }
    }
  }
}
