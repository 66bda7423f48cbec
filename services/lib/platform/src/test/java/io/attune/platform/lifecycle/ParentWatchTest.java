package io.attune.platform.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ParentWatchTest {

  /** A child that watches and would run for ever; takes its grace, and whether it can end. */
  public static final class Child {
    public static void main(String[] arguments) throws InterruptedException {
      Runnable end = Boolean.parseBoolean(arguments[1]) ? () -> System.exit(7) : () -> {};
      ParentWatch.start(System.in, end, Duration.parse(arguments[0]));
      System.out.println("watching");
      Thread.currentThread().join();
    }
  }

  @Test
  void aChildEndsWhenItsStandardInputDoes() throws IOException, InterruptedException {
    assertThat(statusAfterEndOfInput("PT10M", "true")).isEqualTo(7);
  }

  @Test
  void aChildThatDoesNotEndInItsGraceIsHalted() throws IOException, InterruptedException {
    assertThat(statusAfterEndOfInput("PT0.1S", "false")).isEqualTo(1);
  }

  private static int statusAfterEndOfInput(String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx32m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName()));
    command.addAll(List.of(arguments));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      assertThat(child.inputReader().readLine()).isEqualTo("watching");
      child.getOutputStream().close();

      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return child.exitValue();
    } finally {
      child.destroyForcibly();
    }
  }
}
