package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotReaderTest {
  @TempDir Path folder;

  @Test
  void readsEveryShapeOfFeedback() throws Exception {
    Path file = folder.resolve("ratings.jsonl");
    Files.writeString(
        file,
        """
        {"rating_id":"a","rater":"ann","held_out":true,"prompt":"p","answers":[{"completion":"x"}],"score":0.25}
        {"rating_id":"b","held_out":false,"prompt":[{"role":"user","content":"p"}],"answers":[{"completion":"x"}],"thumb":"down"}
        {"rating_id":"c","rater":"bob","held_out":false,"prompt":"p","answers":[{"completion":"x"},{"completion":"y"}],"choice":1}
        {"rating_id":"d","rater":"bob","held_out":false,"prompt":"p","answers":[{"completion":"x"}],"correction":"z"}
        """);

    List<SnapshotRating> ratings = SnapshotReader.read(file);

    assertThat(ratings)
        .extracting(SnapshotRating::feedback)
        .containsExactly(
            new SnapshotRating.Score(0.25),
            new SnapshotRating.Thumb(false),
            new SnapshotRating.Choice(1),
            new SnapshotRating.Correction("z"));
    assertThat(ratings)
        .extracting(SnapshotRating::heldOut)
        .containsExactly(true, false, false, false);
    assertThat(ratings.get(1).prompt().isArray()).isTrue();
    assertThat(ratings.get(2).completions()).containsExactly("x", "y");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "not json|it is not JSON",
        "{\"prompt\":\"p\",\"answers\":[{\"completion\":\"x\"}],\"score\":1}|`rating_id`",
        "{\"rating_id\":\"a\",\"prompt\":7,\"answers\":[{\"completion\":\"x\"}],\"score\":1}|`prompt`",
        "{\"rating_id\":\"a\",\"prompt\":\"p\",\"answers\":[],\"score\":1}|`answers`",
        "{\"rating_id\":\"a\",\"prompt\":\"p\",\"answers\":[{\"completion\":\"x\"}],\"score\":1.5}|`score`",
        "{\"rating_id\":\"a\",\"prompt\":\"p\",\"answers\":[{\"completion\":\"x\"}],\"choice\":1}|`choice`",
        "{\"rating_id\":\"a\",\"prompt\":\"p\",\"answers\":[{\"completion\":\"x\"}]}|none of"
      })
  void namesTheLineAndTheField(String line, String named) {
    assertThatThrownBy(() -> SnapshotReader.parse(line, 12))
        .isInstanceOfSatisfying(
            PlatformException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.ERROR_CODE_CORRUPT))
        .hasMessageContaining("line 12")
        .hasMessageContaining(named);
  }
}
