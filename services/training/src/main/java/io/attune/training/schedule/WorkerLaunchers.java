package io.attune.training.schedule;

import io.attune.training.TrainingConfig;
import io.fabric8.kubernetes.client.KubernetesClient;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;

/** Makes the launcher that the settings name. */
@ApplicationScoped
public class WorkerLaunchers {

  @Produces
  @ApplicationScoped
  WorkerLauncher launcher(TrainingConfig config, Instance<KubernetesClient> cluster) {
    return switch (config.worker().launcher()) {
      case FORKED -> new ForkedWorkers(config);
      case KUBERNETES -> new KubernetesWorkers(cluster.get(), config.worker().template());
    };
  }
}
