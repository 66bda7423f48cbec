package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheus.PrometheusNamingConvention;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Alerts, dashboards and scaling ask for metrics that services have. */
class MetricsTest {
  private static final PrometheusNamingConvention NAMES = new PrometheusNamingConvention();
  private static final Pattern ASKED = Pattern.compile("\\battune_[a-z_]+");
  private static final Pattern METER =
      Pattern.compile(
          "(counter|timer|gauge|MultiGauge\\.builder|builder)\\(\\s*\"(attune\\.[a-z.]+)\"");

  static List<Overlay> overlays() {
    return Overlay.all();
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void whatIsAskedForIsThere(Overlay overlay) {
    Set<String> there = there();
    assertThat(there).contains("attune_ratings_total", "attune_serving_answers_running");

    Set<String> asked =
        ASKED
            .matcher(overlay.text())
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(there).containsAll(asked);
  }

  private static Set<String> there() {
    Set<String> names = new TreeSet<>();
    List<String> sources = new ArrayList<>(Services.NAMES);
    sources.add("lib/platform");
    for (String service : sources) {
      METER
          .matcher(Services.sources(service))
          .results()
          .forEach(meter -> names.addAll(names(meter.group(1), meter.group(2))));
    }
    return names;
  }

  private static Set<String> names(String how, String meter) {
    return switch (how) {
      case "counter" -> Set.of(NAMES.name(meter, Meter.Type.COUNTER, null));
      case "gauge", "MultiGauge.builder" -> Set.of(NAMES.name(meter, Meter.Type.GAUGE, null));
      default -> {
        String base = NAMES.name(meter, Meter.Type.TIMER, "seconds");
        yield Set.of(base, base + "_count", base + "_sum", base + "_bucket", base + "_max");
      }
    };
  }
}
