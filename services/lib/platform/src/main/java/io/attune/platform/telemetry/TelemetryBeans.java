package io.attune.platform.telemetry;

import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Which traces are recorded. */
public final class TelemetryBeans {

  /**
   * None where there is nobody to send them to, not even when a caller asks for it; log lines have
   * trace ids all the same. Else what a caller has decided, and a share of the traces that begin
   * here.
   *
   * @param ratio 0 to 1
   */
  @Produces
  @Singleton
  @Unremovable
  Sampler sampler(
      @ConfigProperty(name = "quarkus.otel.exporter.otlp.endpoint") Optional<String> endpoint,
      @ConfigProperty(name = "attune.traces.ratio") double ratio) {
    return endpoint.isEmpty()
        ? Sampler.alwaysOff()
        : Sampler.parentBased(Sampler.traceIdRatioBased(ratio));
  }
}
