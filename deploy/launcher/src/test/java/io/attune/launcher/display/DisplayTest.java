package io.attune.launcher.display;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class DisplayTest {
  private static final String DETAIL = "loss 2.1234, lr 9.5e-05, 840 tokens/s, 1.2 GiB";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private Instant now = Instant.EPOCH.plusSeconds(1_000_000);

  private Display display(boolean terminal, int columns) {
    return new Display(
        new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal, columns, () -> now);
  }

  /** What the terminal's current line shows. */
  private String line() {
    String text = bytes.toString(StandardCharsets.UTF_8);
    return text.substring(text.lastIndexOf("\u001b[2K") + 4);
  }

  @Test
  void aBarTellsHowFarHowFastAndHowLongStill() {
    Display display = display(true, 130);
    display.stage("training sft (lora)");
    now = now.plusSeconds(20); // loading the model is no step
    display.step(1, 100, DETAIL);
    assertThat(line())
        .isEqualTo(" 20.0s  training sft (lora)  [                        ] 1/100  " + DETAIL);
    now = now.plusSeconds(10);
    display.step(26, 100, DETAIL);
    assertThat(line())
        .isEqualTo(
            " 30.0s  training sft (lora)  [======                  ] 26/100, 2.5/s, 29.6s left  "
                + DETAIL);
    now = now.plusSeconds(30);
    display.step(100, 100, DETAIL);
    assertThat(line()).contains("[" + "=".repeat(24) + "] 100/100, 2.5/s, 0.0s left");
  }

  @Test
  void aResumedRunIsNotTakenForAFastOne() {
    Display display = display(true, 130);
    display.stage("training");
    display.step(901, 1000, "");
    now = now.plusSeconds(400);
    display.step(911, 1000, "");
    assertThat(line()).contains("911/1000, 40.0 s each, 59m20s left");
    now = now.plusSeconds(3600);
    display.step(912, 1000, "");
    assertThat(line()).contains("8h53m left");
  }

  @Test
  void noLineIsWiderThanTheTerminal() {
    for (int columns : new int[] {20, 80, 100, 105, 110, 200}) {
      bytes.reset();
      Display display = display(true, columns);
      display.stage("training sft (lora)");
      now = now.plusSeconds(1);
      display.step(1, 100, DETAIL);
      now = now.plusSeconds(1);
      display.step(50, 100, DETAIL);
      assertThat(line()).hasSizeLessThan(columns);
      assertThat(line().contains("[=")).as("room for a bar").isEqualTo(columns > 110);
    }
  }

  @Test
  void linesComeNoFasterThanEyes() {
    Display display = display(true, 130);
    display.stage("training");
    for (int step = 1; step <= 1000; step++) {
      now = now.plusMillis(1);
      display.step(step, 1000, "");
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8).split("\u001b", -1)).hasSize(12);
  }

  @Test
  void elsewhereOnlyWhatHasEndedIsPrinted() {
    Display display = display(false, 80);
    display.stage("training");
    now = now.plusSeconds(1);
    display.step(1, 2, "loss 3");
    display.note("careful");
    display.step(2, 2, "loss 2");
    now = now.plusSeconds(2);
    display.done("wrote out");
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .isEqualTo("  careful\n  3.0s  training  (2/2 loss 2)\n\n== wrote out, after 3.0s\n\n");
  }
}
