package io.attune.platform.database;

import org.jdbi.v3.core.argument.Argument;

/** Arrays as arguments that Jdbi does not know how to pass. */
public final class SqlArrays {

  private SqlArrays() {}

  /**
   * For {@code ?::bytea[]}. Jdbi hands elements over as objects, which the driver refuses for
   * bytes.
   */
  public static Argument bytea(byte[][] values) {
    return (position, statement, context) ->
        statement.setArray(position, statement.getConnection().createArrayOf("bytea", values));
  }
}
