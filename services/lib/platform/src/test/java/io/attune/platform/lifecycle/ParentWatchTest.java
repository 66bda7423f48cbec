package io.attune.platform.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ParentWatchTest {

  /** A child that watches and would run for ever. */
  public static final class Child {
    public static void main(String[] arguments) throws InterruptedException {
      ParentWatch.start(System.in, () -> System.exit(7));
      System.out.println("watching");
      Thread.currentThread().join();
    }
  }

  @Test
  void aChildEndsWhenItsStandardInputDoes() throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx32m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName())
            .redirectErrorStream(true)
            .start();
    try {
      assertThat(child.inputReader().readLine()).isEqualTo("watching");
      child.getOutputStream().close();

      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isEqualTo(7);
    } finally {
      child.destroyForcibly();
    }
  }
}
