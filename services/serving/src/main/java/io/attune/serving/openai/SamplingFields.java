package io.attune.serving.openai;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.generate.SamplingParameters;
import io.attune.platform.error.PlatformException;
import io.attune.serving.generate.Sampling;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The fields of a request that say how tokens are chosen, which chat and completions share. */
final class SamplingFields {

  static final Set<String> NAMES =
      Set.of(
          "temperature",
          "top_p",
          "top_k",
          "min_p",
          "repetition_penalty",
          "presence_penalty",
          "frequency_penalty",
          "logit_bias",
          "stop",
          "seed");

  private SamplingFields() {}

  /**
   * @param maxNewTokens the answer's tokens, at most
   * @param topLogProbabilities how many of the likeliest tokens to tell at each place
   */
  static Sampling read(Fields fields, int maxNewTokens, int topLogProbabilities) {
    var parameters =
        SamplingParameters.builder()
            .temperature(fields.number("temperature", 1, 0, Sampling.MAX_TEMPERATURE))
            .topK(fields.integer("top_k", 0, 0, Integer.MAX_VALUE))
            .topP(positive(fields, "top_p"))
            .minP(fields.number("min_p", 0, 0, 1))
            .repetitionPenalty(positive(fields, "repetition_penalty"))
            .presencePenalty(penalty(fields, "presence_penalty"))
            .frequencyPenalty(penalty(fields, "frequency_penalty"))
            .logitBias(bias(fields))
            .topLogProbabilities(topLogProbabilities)
            .maxNewTokens(maxNewTokens)
            .stop(stop(fields))
            .seed(fields.seed("seed"));
    try {
      return Sampling.of(parameters);
    } catch (PlatformException range) {
      throw new RefusedField(null, range.getMessage());
    }
  }

  private static double positive(Fields fields, String name) {
    double most = name.equals("top_p") ? 1 : Double.MAX_VALUE;
    double value = fields.number(name, 1, 0, most);
    if (value == 0) {
      throw fields.refuse(name, "must be more than 0.");
    }
    return value;
  }

  private static double penalty(Fields fields, String name) {
    return fields.number(name, 0, -SamplingParameters.MAX_PENALTY, SamplingParameters.MAX_PENALTY);
  }

  private static Map<Integer, Double> bias(Fields fields) {
    JsonNode biases = fields.get("logit_bias");
    if (biases == null) {
      return Map.of();
    }
    if (!biases.isObject()) {
      throw fields.refuse("logit_bias", "must be an object of token ids and their biases.");
    }
    var each = new Fields(biases, "logit_bias");
    Map<Integer, Double> result = new HashMap<>();
    for (Iterator<String> ids = biases.fieldNames(); ids.hasNext(); ) {
      String id = ids.next();
      if (!id.matches("[0-9]{1,9}")) {
        throw each.refuse(id, "is named by no token id, which is a whole number.");
      }
      double most = SamplingParameters.MAX_BIAS;
      result.put(Integer.valueOf(id), each.number(id, 0, -most, most));
    }
    return result;
  }

  private static List<String> stop(Fields fields) {
    JsonNode stop = fields.get("stop");
    if (stop == null) {
      return List.of();
    }
    if (stop.isTextual()) {
      return List.of(stop.textValue());
    }
    var texts = new ArrayList<String>();
    for (JsonNode text : stop) {
      if (!text.isTextual()) {
        throw fields.refuse("stop", "must be a string or an array of strings.");
      }
      texts.add(text.textValue());
    }
    if (!stop.isArray() || texts.size() > Sampling.MAX_STOP) {
      throw fields.refuse(
          "stop", "must be a string or an array of at most " + Sampling.MAX_STOP + " strings.");
    }
    return texts;
  }
}
