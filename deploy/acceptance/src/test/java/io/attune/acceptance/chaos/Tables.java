package io.attune.acceptance.chaos;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** PostgreSQL, by the way that nothing disturbs. Each call has a connection of its own. */
final class Tables {
  private final String url;

  Tables(int port) {
    this.url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&password=postgres";
  }

  /** Reads a row. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  <T> List<T> rows(String query, Row<T> row) throws SQLException {
    List<T> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      while (result.next()) {
        rows.add(row.read(result));
      }
    }
    return rows;
  }

  long number(String query) throws SQLException {
    return rows(query, row -> row.getLong(1)).get(0);
  }

  void execute(String script) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(script);
    }
  }

  /** Records of the ratings' topic of which ingestion has said what became of them. */
  long settled() throws SQLException {
    return number("select coalesce(sum(n), 0) from ingestion.outcome_counts where shard >= -1");
  }

  /** Ratings that wait for a generation. */
  long pending() throws SQLException {
    return number("select count(*) from ingestion.pending_ratings");
  }

  /** Ratings that training has counted, of all data sets. */
  long triggered() throws SQLException {
    return number("select coalesce(sum(ratings), 0) from training.trigger_count");
  }

  /** Events that wait to be sent. */
  long unsent() throws SQLException {
    return number(
        "select (select count(*) from ingestion.outbox) + (select count(*) from training.outbox)");
  }

  /** How many records of the accepted ratings' topic training has read. */
  long readByTrigger() throws SQLException {
    return number(
        "select coalesce(sum(next_offset), 0) from training.inbox"
            + " where consumer = 'training-trigger'");
  }
}
