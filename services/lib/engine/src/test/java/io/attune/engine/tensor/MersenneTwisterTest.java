package io.attune.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MersenneTwisterTest {
  @Test
  void drawsWhatTorchDraws() {
    // torch.empty(1000).uniform_(-0.7, 0.7, generator=torch.Generator().manual_seed(42))
    MersenneTwister random = new MersenneTwister(42);
    float[] values = new float[1000];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.uniform(-0.7f, 0.7f);
    }
    assertThat(values).startsWith(0.5351769328117371f, 0.5810055136680603f, -0.16399073600769043f);
    assertThat(values[999]).isEqualTo(-0.658480167388916f);
  }
}
