package io.attune.launcher.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BytePairTrainerTest {
  @Test
  void joinsTheMostFrequentPairFirst() {
    // Sennrich et al. 2016, figure 1, in the words' own counts: low 5, lower 2, newest 6, widest 3.
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add(
        "low\n".repeat(5) + "lower\n".repeat(2) + "newest\n".repeat(6) + "widest\n".repeat(3));
    List<BytePairTrainer.Pair> merges = trainer.learn(3);
    // e+s and s+t both occur 9 times: e+s comes first by its text, then es+t; then l+o, 7 times.
    assertThat(merges)
        .containsExactly(
            new BytePairTrainer.Pair("e", "s"),
            new BytePairTrainer.Pair("es", "t"),
            new BytePairTrainer.Pair("l", "o"));
  }

  @Test
  void stopsWhenNoPairOccursTwice() {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("abc");
    assertThat(trainer.learn(10)).isEmpty();
  }

  @Test
  void everyByteHasItsOwnPrintableSymbol() {
    assertThat(
            IntStream.range(0, 256).mapToObj(BytePairTrainer::symbol).collect(Collectors.toSet()))
        .hasSize(256)
        .contains("Ġ", "Ċ", "a", "~");
  }
}
