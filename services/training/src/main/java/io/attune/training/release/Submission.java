package io.attune.training.release;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.Prompt;
import java.util.List;
import java.util.Optional;

/**
 * What a job's process has made, on its way to the gate.
 *
 * @param artifact the published adapter folder
 * @param contractSha256 of tokenizer, chat template and end-of-sequence ids
 * @param ratingIds the ratings that became rows of training, in order
 * @param exam for a reward model: its scores of the held-out pairs
 * @param prompts for a policy: the held-out prompts to answer
 */
public record Submission(
    Artifact artifact,
    String contractSha256,
    List<String> ratingIds,
    Optional<RewardExam> exam,
    List<Prompt> prompts) {}
