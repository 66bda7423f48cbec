package io.attune.acceptance.chaos;

/**
 * How bad it gets. Profile {@code chaos} has the numbers of a release, every build smaller ones.
 *
 * @param seed decides everything that the test decides
 * @param ratings different ones; repeats come beside them
 * @param kills of each part
 * @param zombies processes that hang until others have taken their work, and then go on
 * @param lostAcknowledgements at least
 * @param pills records that nobody can read
 */
record ChaosPlan(
    long seed, int ratings, int kills, int zombies, int lostAcknowledgements, int pills) {

  static ChaosPlan ofThisBuild() {
    return new ChaosPlan(
        Long.getLong("chaos.seed", 1),
        Integer.getInteger("chaos.ratings", 10_000),
        Integer.getInteger("chaos.kills", 1),
        Integer.getInteger("chaos.zombies", 1),
        Integer.getInteger("chaos.lost-acknowledgements", 100),
        Integer.getInteger("chaos.pills", 20));
  }

  /** Enough to see that repeats count when nothing keeps them from it. */
  ChaosPlan control() {
    return new ChaosPlan(seed + 1, 2_000, 0, 0, 10, 0);
  }
}
