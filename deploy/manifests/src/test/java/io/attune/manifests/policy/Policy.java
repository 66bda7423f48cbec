package io.attune.manifests.policy;

import io.attune.manifests.Manifests;
import java.util.List;
import java.util.function.Function;

/** The policies. */
enum Policy {
  /** Startup, readiness and liveness are asked of the paths that Quarkus answers. */
  PROBES(PodPolicies::probes),
  /** Every container asks for processors and memory, and has limits of both. */
  RESOURCES(PodPolicies::resources),
  /** Pod Security "restricted", and a root file system that nobody writes to. */
  SECURITY(PodPolicies::security),
  /** Java has its temporary folder on a volume of bounded size. */
  TEMPORARY_FILES(PodPolicies::temporaryFiles),
  /** A tag that stays, or a digest. */
  IMAGES(PodPolicies::images),
  /** No Service's address comes as a variable that would be read as a setting. */
  SERVICE_LINKS(PodPolicies::serviceLinks),
  /**
   * A pod that is told to go has time for preStop, for its longest request, and then for itself.
   */
  DRAIN(PodPolicies::drain),
  /** Not all replicas on one node or in one zone. */
  SPREAD(AvailabilityPolicies::spread),
  /** A drain of nodes takes one replica at a time, and never waits for ever. */
  DISRUPTION(AvailabilityPolicies::disruption),
  /** Each service's replicas are set by one hand, within the partitions that they share. */
  SCALING(AvailabilityPolicies::scaling),
  /** What operators run has limits as well. */
  OPERATED(AvailabilityPolicies::operated),
  /** An account of its own; a token only where a Role needs it. */
  ACCOUNTS(AccessPolicies::accounts),
  /** No secret is written down. */
  SECRETS(AccessPolicies::secrets),
  /** Closed by default, and opened for each workload by name. */
  NETWORK(AccessPolicies::network),
  /** What is named is there, or is made by an operator or by create-secrets.sh. */
  REFERENCES(ReferencePolicies::references);

  private final Function<Manifests, List<String>> check;

  Policy(Function<Manifests, List<String>> check) {
    this.check = check;
  }

  /** What breaks it; empty where nothing does. */
  List<String> violations(Manifests manifests) {
    return check.apply(manifests);
  }
}
