package io.attune.training.worker;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.attune.training.release.RewardExam;

/**
 * {@code result.json}: written last and at once, so that a job with it is done.
 *
 * @param contractSha256 of tokenizer, chat template and end-of-sequence ids
 * @param exam for a reward model its scores of the held-out pairs; else null
 */
public record WorkerResult(
    @JsonProperty("contract_sha256") String contractSha256,
    @JsonProperty("exam") RewardExam exam) {}
