/**
 * Scores answers with the released reward model of a line: by gRPC and REST when asked, and as
 * events for every rollout, exactly once. No state of its own.
 */
package io.attune.reward;
