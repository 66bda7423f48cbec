package io.attune.manifests.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.attune.manifests.Overlay;
import io.attune.manifests.Workload;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyTest {
  static Stream<Arguments> overlaysAndPolicies() {
    return Overlay.all().stream()
        .flatMap(
            overlay -> Arrays.stream(Policy.values()).map(policy -> arguments(overlay, policy)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("overlaysAndPolicies")
  void isKept(Overlay overlay, Policy policy) {
    assertThat(overlay.manifests().workloads())
        .extracting(Workload::name)
        .contains("ingestion", "reward", "serving", "training", "training-worker");
    assertThat(policy.violations(overlay.manifests())).isEmpty();
  }
}
