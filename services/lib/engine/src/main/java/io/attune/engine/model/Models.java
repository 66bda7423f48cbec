package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** From {@code model_type} to the family that implements it. */
public final class Models {
  private static final Map<String, BiFunction<JsonNode, String, Architecture>> FAMILIES =
      new TreeMap<>();

  static {
    FAMILIES.put("bart", Bart::parse);
    FAMILIES.put("bert", Bert::parse);
    FAMILIES.put("distilbert", DistilBert::parse);
    FAMILIES.put("llama", Llama::parse);
    FAMILIES.put("roberta", Roberta::parse);
    FAMILIES.put("t5", T5::parse);
  }

  private Models() {}

  /**
   * @param config the content of {@code config.json}
   * @param where its path, for messages
   */
  public static Architecture architecture(JsonNode config, String where) {
    String type = config.path("model_type").asText("");
    BiFunction<JsonNode, String, Architecture> family = FAMILIES.get(type);
    if (family == null) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          where
              + ": 'model_type' is '"
              + type
              + "'; implemented are "
              + String.join(", ", FAMILIES.keySet()));
    }
    return family.apply(config, where);
  }
}
