package io.attune.training;

import io.attune.testkit.ArchitectureRules;
import org.junit.jupiter.api.Test;

class ArchitectureTest {

  @Test
  void importsPointOneWay() {
    ArchitectureRules.check("training");
  }
}
