package io.attune.serving;

import io.attune.testkit.ArchitectureRules;
import org.junit.jupiter.api.Test;

class ArchitectureTest {

  @Test
  void importsPointOneWay() {
    ArchitectureRules.check("serving");
  }
}
