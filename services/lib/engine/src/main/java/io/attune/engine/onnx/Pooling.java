package io.attune.engine.onnx;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import java.nio.file.Path;

/** How the states of a sentence's tokens become one vector. */
public enum Pooling {
  /** Their mean, padding left out. */
  MEAN("pooling_mode_mean_tokens"),
  /** The state of the first token. */
  CLS("pooling_mode_cls_token");

  private static final String PREFIX = "pooling_mode_";
  private static final long MAX_BYTES = 1 << 20;

  private final String key;

  Pooling(String key) {
    this.key = key;
  }

  /** Reads {@code 1_Pooling/config.json} as sentence-transformers writes it. */
  static Pooling read(Path config) {
    ObjectNode json = JsonFiles.readObject(config, MAX_BYTES);
    Pooling found = null;
    for (var field : json.properties()) {
      if (!field.getKey().startsWith(PREFIX) || !field.getValue().asBoolean()) {
        continue;
      }
      Pooling named = null;
      for (Pooling pooling : values()) {
        named = pooling.key.equals(field.getKey()) ? pooling : named;
      }
      if (named == null || found != null) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            config + ": '" + field.getKey() + "' is neither mean nor cls alone");
      }
      found = named;
    }
    if (found == null) {
      throw new EngineException(Reason.CORRUPT, config + " names no pooling mode");
    }
    return found;
  }

  /** The content of {@code 1_Pooling/config.json}. */
  ObjectNode config(long hidden) {
    ObjectNode json = JsonFiles.newObject();
    json.put("word_embedding_dimension", hidden);
    json.put(CLS.key, this == CLS);
    json.put(MEAN.key, this == MEAN);
    json.put("pooling_mode_max_tokens", false);
    json.put("pooling_mode_mean_sqrt_len_tokens", false);
    return json;
  }
}
