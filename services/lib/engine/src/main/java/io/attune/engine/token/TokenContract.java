package io.attune.engine.token;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.Digests;
import io.attune.engine.checkpoint.HubLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What an adapter relies on besides the weights: the tokenizer, the chat template and the tokens
 * that end a sequence.
 *
 * @param sha256 equal only where all three are; stored with an adapter and checked when it is
 *     loaded
 */
public record TokenContract(SortedSet<Integer> eosTokenIds, String sha256) {

  public static TokenContract of(
      HubLayout layout, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    SortedSet<Integer> eos = eosTokenIds(layout, tokenizer);
    MessageDigest digest = Digests.sha256();
    update(digest, tokenizer.json());
    update(digest, template.map(ChatTemplate::source).orElse("").getBytes(StandardCharsets.UTF_8));
    update(
        digest,
        eos.stream()
            .map(String::valueOf)
            .collect(Collectors.joining(","))
            .getBytes(StandardCharsets.UTF_8));
    return new TokenContract(eos, Digests.hex(digest));
  }

  /** With its length first, so that no two triples have the same bytes. */
  private static void update(MessageDigest digest, byte[] bytes) {
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, bytes.length));
    digest.update(bytes);
  }

  /**
   * Every token that ends a sequence: those of {@code generation_config.json}, or else of {@code
   * config.json}, and the tokenizer's. A chat model ends its turn with one and a text with another.
   */
  private static SortedSet<Integer> eosTokenIds(HubLayout layout, Tokenizer tokenizer) {
    SortedSet<Integer> ids = new TreeSet<>();
    layout
        .generationConfig()
        .ifPresent(config -> add(ids, config, layout.folder() + "/generation_config.json"));
    if (ids.isEmpty()) {
      add(ids, layout.config(), layout.folder() + "/config.json");
    }
    tokenizer.eosTokenId().ifPresent(ids::add);
    return ids;
  }

  private static void add(SortedSet<Integer> ids, ObjectNode config, String where) {
    JsonNode eos = config.path("eos_token_id");
    if (eos.isMissingNode() || eos.isNull()) {
      return;
    }
    for (JsonNode id : eos.isArray() ? eos : List.of(eos)) {
      if (!id.isInt() || id.intValue() < 0) {
        throw new EngineException(
            Reason.CORRUPT, where + ": 'eos_token_id' holds " + id + ", not a token id");
      }
      ids.add(id.intValue());
    }
  }
}
