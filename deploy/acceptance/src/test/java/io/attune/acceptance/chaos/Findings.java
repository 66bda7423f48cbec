package io.attune.acceptance.chaos;

import java.util.ArrayList;
import java.util.List;

/** What an audit finds. */
final class Findings {
  private final List<String> lost = new ArrayList<>();
  private final List<String> doubled = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();

  /** Compares what is stored with what follows from the raw ratings. */
  void compare(String what, long stored, long recomputed) {
    String numbers = "%s: %d, and not %d".formatted(what, stored, recomputed);
    if (stored < recomputed) {
      lost.add(numbers);
    } else if (stored > recomputed) {
      doubled.add(numbers);
    }
  }

  /** Notes what is neither lost nor double, but is not as it was sent. */
  void wrong(String what) {
    wrong.add(what);
  }

  List<String> lost() {
    return lost;
  }

  List<String> doubled() {
    return doubled;
  }

  List<String> wrong() {
    return wrong;
  }
}
