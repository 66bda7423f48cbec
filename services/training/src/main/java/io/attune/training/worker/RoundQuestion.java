package io.attune.training.worker;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * {@code question.json} of a round: what a worker that learns online waits for.
 *
 * @param round from 0
 * @param prompts texts, or arrays of turns
 * @param each answers to each prompt
 */
public record RoundQuestion(
    @JsonProperty("round") int round,
    @JsonProperty("prompts") List<JsonNode> prompts,
    @JsonProperty("each") int each) {}
