package io.attune.training.worker;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.attune.training.dataset.RowSet;

/**
 * {@code job.json}: what a worker is told to do.
 *
 * @param spec io.attune.training.v1.TrainingSpec in protobuf's JSON
 * @param snapshot the snapshot file
 * @param baseModel the base model's folder
 * @param parentVersion the version that training starts from; 0 is the base model
 * @param initAdapter that version's folder; null for the base model
 * @param activeVersion the version that a reward model is compared with; 0 for none
 * @param activeAdapter that version's folder; null for none
 * @param encoder the encoder that a reward model is trained from as a whole, where no version is;
 *     null to train an adapter of the base model
 * @param threads of the tensor library
 * @param limits how much data is needed and taken
 */
public record WorkerOrder(
    @JsonProperty("job_id") String jobId,
    @JsonProperty("spec") String spec,
    @JsonProperty("snapshot") String snapshot,
    @JsonProperty("base_model") String baseModel,
    @JsonProperty("parent_version") long parentVersion,
    @JsonProperty("init_adapter") String initAdapter,
    @JsonProperty("active_version") long activeVersion,
    @JsonProperty("active_adapter") String activeAdapter,
    @JsonProperty("encoder") String encoder,
    @JsonProperty("threads") int threads,
    @JsonProperty("limits") RowSet.Limits limits) {}
