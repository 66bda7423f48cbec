/** Answers by versions that are not released yet, for the gate and for learning. */
package io.attune.serving.rollout;
