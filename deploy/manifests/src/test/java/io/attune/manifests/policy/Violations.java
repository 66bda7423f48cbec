package io.attune.manifests.policy;

import java.util.ArrayList;
import java.util.List;

/** Collects what breaks a policy. */
final class Violations {
  private final List<String> all = new ArrayList<>();

  void unless(boolean kept, Object where, String what) {
    if (!kept) {
      all.add(where + ": " + what);
    }
  }

  List<String> list() {
    return List.copyOf(all);
  }
}
