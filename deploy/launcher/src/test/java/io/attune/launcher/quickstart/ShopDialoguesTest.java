package io.attune.launcher.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ShopDialoguesTest {
  private static List<Dialogue> draw(long seed, int count) {
    ShopDialogues shop = new ShopDialogues(seed);
    return IntStream.range(0, count).mapToObj(i -> shop.dialogue()).toList();
  }

  @Test
  void equalSeedsDrawEqualDialogues() {
    assertThat(draw(5, 200)).isEqualTo(draw(5, 200)).isNotEqualTo(draw(6, 200));
  }

  @Test
  void leavesNoSlotUnfilled() {
    assertThat(draw(1, 3000))
        .flatExtracting(d -> List.of(d.question().text(), d.reply()))
        .allSatisfy(
            text -> assertThat((String) text).doesNotContain("{", "}", "null").isNotBlank());
  }

  @Test
  void questionsNameTheThingOrItsTopicAndVary() {
    List<Dialogue> dialogues = draw(2, 2000);
    Set<String> distinct =
        dialogues.stream().map(d -> d.question().text()).collect(Collectors.toSet());
    assertThat(distinct).hasSizeGreaterThan(1500);
  }

  @Test
  void distinctQuestionsAvoidTheGivenOnes() {
    ShopDialogues shop = new ShopDialogues(3);
    List<Question> first = shop.distinctQuestions(100, Set.of());
    Set<String> known = first.stream().map(Question::text).collect(Collectors.toSet());
    List<Question> second = shop.distinctQuestions(100, known);
    Set<String> all =
        Stream.concat(first.stream(), second.stream())
            .map(Question::text)
            .collect(Collectors.toCollection(HashSet::new));
    assertThat(all).hasSize(200);
  }
}
