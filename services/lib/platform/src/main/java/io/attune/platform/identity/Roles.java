package io.attune.platform.identity;

import java.util.Set;

/** The roles that a token can carry in {@code resource_access.attune.roles}. */
public final class Roles {

  /** Asks the model and rates its answers. */
  public static final String RATER = "rater";

  /** Imports ratings that carry their own text, in other people's names. */
  public static final String DATA_ENGINEER = "data-engineer";

  /** Cuts snapshots and runs training jobs. */
  public static final String TRAINER = "trainer";

  /** Rolls adapters back. */
  public static final String OPERATOR = "operator";

  /** Reads everything that is not user text. */
  public static final String VIEWER = "viewer";

  /**
   * A service of the platform, which acts for the tenant that it names. Opens no door by itself,
   * and is no role for people.
   */
  public static final String SERVICE = "service";

  /** All that people can have. */
  public static final Set<String> ALL = Set.of(RATER, DATA_ENGINEER, TRAINER, OPERATOR, VIEWER);

  private Roles() {}
}
