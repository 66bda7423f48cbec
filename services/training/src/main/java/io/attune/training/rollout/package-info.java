/** The rounds of jobs that learn online: a version out, answers with their scores back. */
package io.attune.training.rollout;
