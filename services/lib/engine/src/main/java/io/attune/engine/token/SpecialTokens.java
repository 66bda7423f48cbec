package io.attune.engine.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import java.util.Optional;

/** The tokens with a role, as text; empty where the model has none. */
public record SpecialTokens(
    Optional<String> bos, Optional<String> eos, Optional<String> pad, Optional<String> unk) {

  private static final int MAX_LENGTH = 1024;

  static SpecialTokens of(HubLayout layout) {
    Optional<ObjectNode> config = layout.tokenizerConfig();
    Optional<ObjectNode> map = layout.specialTokensMap();
    return new SpecialTokens(
        token(config, map, "bos_token"),
        token(config, map, "eos_token"),
        token(config, map, "pad_token"),
        token(config, map, "unk_token"));
  }

  private static Optional<String> token(
      Optional<ObjectNode> config, Optional<ObjectNode> map, String key) {
    return config.flatMap(c -> text(c, key)).or(() -> map.flatMap(m -> text(m, key)));
  }

  /** A string, or an added token written out as an object. */
  private static Optional<String> text(ObjectNode file, String key) {
    JsonNode node = file.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    JsonNode text = node.isObject() ? node.path("content") : node;
    if (!text.isTextual() || text.textValue().length() > MAX_LENGTH) {
      throw new EngineException(
          Reason.CORRUPT, "tokenizer_config.json: '" + key + "' is " + node + ", not a token");
    }
    return Optional.of(text.textValue());
  }
}
