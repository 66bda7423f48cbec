package io.attune.platform.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.NoSuchFileException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class LoggableTest {
  private static final String CANARY = "canary";

  @Test
  void saysWhatAndWhereButNotWhatPeopleWrote() {
    var failure =
        new IllegalStateException(CANARY, new NumberFormatException("For input: " + CANARY));

    String logged = stackTrace(Loggable.of(failure));

    assertThat(logged)
        .contains("java.lang.IllegalStateException", "java.lang.NumberFormatException")
        .contains("LoggableTest.saysWhatAndWhereButNotWhatPeopleWrote")
        .doesNotContain(CANARY);
  }

  @Test
  void keepsWhatFilesAndDatabasesSay() {
    var failure = new IllegalStateException(CANARY, new SQLException("no relation", "42P01"));

    assertThat(stackTrace(Loggable.of(failure))).contains("no relation").doesNotContain(CANARY);
    assertThat(stackTrace(Loggable.of(new NoSuchFileException("/a/b")))).contains("/a/b");
    assertThat(Loggable.of(null)).isNull();
  }

  @Test
  void endsWhereCausesGoInACircle() {
    var first = new IllegalStateException();
    var second = new IllegalArgumentException(first);
    first.initCause(second);

    assertThat(stackTrace(Loggable.of(first))).contains("IllegalArgumentException");
  }

  private static String stackTrace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }
}
