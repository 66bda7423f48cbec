package io.attune.engine.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.HubLayout;
import java.util.Optional;

/** The tokens with a role, as text; empty where the model has none. */
public record SpecialTokens(
    Optional<String> bos, Optional<String> eos, Optional<String> pad, Optional<String> unk) {

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
    return config.flatMap(c -> text(c.get(key))).or(() -> map.flatMap(m -> text(m.get(key))));
  }

  /** A string, or an added token written out as an object. */
  private static Optional<String> text(JsonNode node) {
    if (node == null || node.isNull()) {
      return Optional.empty();
    }
    return node.isTextual()
        ? Optional.of(node.textValue())
        : Optional.ofNullable(node.get("content")).map(JsonNode::asText);
  }
}
