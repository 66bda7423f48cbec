package io.attune.engine.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.generate.BeamSearchParameters.EarlyStopping;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a model's makers want it to write: {@code generation_config.json}, or, in folders of earlier
 * years, the same keys of {@code config.json}.
 *
 * @param maxLength tokens of a text at most, the decoder's start token included
 * @param forcedBosTokenId -1 for none
 */
public record GenerationDefaults(
    BeamSearchParameters search,
    int minLength,
    int maxLength,
    int noRepeatNgramSize,
    int forcedBosTokenId,
    List<Integer> forcedEosTokenIds) {

  /** transformers' own limit where no file names one: 20 tokens. */
  private static final int MAX_LENGTH = 20;

  /**
   * @param forcedEosTokenIds what the family forces where {@code config.json} alone speaks, and is
   *     silent
   */
  public static GenerationDefaults of(HubLayout layout, List<Integer> forcedEosTokenIds) {
    Optional<ObjectNode> own = layout.generationConfig();
    ObjectNode json = own.orElseGet(layout::config);
    List<Integer> forced =
        own.isPresent() || json.has("forced_eos_token_id")
            ? ids(json, "forced_eos_token_id")
            : forcedEosTokenIds;
    List<Integer> first = ids(json, "forced_bos_token_id");
    return new GenerationDefaults(
        new BeamSearchParameters(
            json.path("num_beams").asInt(1),
            json.path("length_penalty").asDouble(1),
            EarlyStopping.of(json.path("early_stopping").asText("false")),
            1),
        json.path("min_length").asInt(0),
        json.path("max_length").asInt(MAX_LENGTH),
        json.path("no_repeat_ngram_size").asInt(0),
        first.isEmpty() ? -1 : first.get(0),
        forced);
  }

  private static List<Integer> ids(ObjectNode json, String key) {
    List<Integer> ids = new ArrayList<>();
    JsonNode value = json.path(key);
    for (JsonNode id : value.isArray() ? value : List.of(value)) {
      if (id.isInt()) {
        ids.add(id.intValue());
      } else if (!id.isNull() && !id.isMissingNode()) {
        throw new EngineException(Reason.CORRUPT, "'" + key + "' holds " + id + ", not a token id");
      }
    }
    return List.copyOf(ids);
  }
}
