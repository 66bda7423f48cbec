/** What every workload keeps to, and the proof that each policy notices when one does not. */
package io.attune.manifests.policy;
