package io.attune.engine.sentence;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.nn.MethodWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * One vector of a text's many: the results of each mode, end to end.
 *
 * @param modes at least one
 */
record Pooling(List<Mode> modes) {
  /** In the order in which sentence-transformers puts their results. */
  enum Mode {
    /** The first token's. */
    CLS,
    /** The largest of each component. */
    MAX,
    /** The mean over tokens. */
    MEAN
  }

  static final Pooling DEFAULT = new Pooling(List.of(Mode.MEAN));

  /** Keys that say something else than a mode. */
  private static final Set<String> DIMENSIONS =
      Set.of("word_embedding_dimension", "embedding_dimension");

  /**
   * Reads {@code config.json} of a pooling module, with a switch for each mode or with a list of
   * modes; refuses, by name, modes that are not implemented.
   */
  static Pooling read(ObjectNode json, int hiddenSize, String where) {
    List<Mode> modes = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = field.getKey();
      JsonNode value = field.getValue();
      if (DIMENSIONS.contains(key)) {
        if (value.asInt() != hiddenSize) {
          throw new EngineException(
              Reason.INCOMPATIBLE,
              where + ": '" + key + "' is " + value + "; the encoder has " + hiddenSize);
        }
      } else if (key.equals("pooling_mode")) {
        for (JsonNode name : value.isArray() ? value : List.of(value)) {
          modes.add(mode(name.asText(), key, where));
        }
      } else if (key.startsWith("pooling_mode_")) {
        if (value.asBoolean() && !json.has("pooling_mode")) {
          modes.add(mode(key.replaceAll("pooling_mode_|_tokens?$", ""), key, where));
        }
      } else if (!key.equals("include_prompt") || !value.asBoolean()) {
        throw new EngineException(
            Reason.UNSUPPORTED, where + ": '" + key + "' is " + value + ": not implemented");
      }
    }
    if (!json.has("pooling_mode")) {
      Collections.sort(modes);
    }
    return modes.isEmpty() ? DEFAULT : new Pooling(List.copyOf(modes));
  }

  private static Mode mode(String name, String key, String where) {
    for (Mode mode : Mode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(name)) {
        return mode;
      }
    }
    throw new EngineException(
        Reason.UNSUPPORTED,
        where + ": '" + key + "' asks for " + name + " pooling; implemented are cls, max and mean");
  }

  /** Components of the result, for an encoder with {@code hiddenSize}. */
  int size(int hiddenSize) {
    return modes.size() * hiddenSize;
  }

  /**
   * Emits pooling.
   *
   * @param x variable that holds [B, T, E]
   * @param mask variable that holds [B, T, 1]: 1 where there is a token, 0 where there is none; a
   *     row's tokens follow each other
   * @return a variable that holds [B, size]
   */
  String emit(MethodWriter out, String x, String mask) {
    List<String> results = new ArrayList<>();
    for (Mode mode : modes) {
      results.add(
          switch (mode) {
            case CLS -> {
              String first = out.value("torch.argmax(%s, 1, True)", mask); // [B, 1, 1]
              first = out.value("torch.expand(%s, [-1, 1, torch.size(%s, 2)])", first, x);
              yield out.value("torch.squeeze(torch.gather(%s, 1, %s), 1)", x, first);
            }
            case MAX -> {
              String hidden = out.value("torch.eq(%s, 0)", mask);
              String shown = out.value("torch.masked_fill(%s, %s, float(\"-inf\"))", x, hidden);
              yield out.value("torch.amax(%s, [1])", shown);
            }
            case MEAN -> {
              String sum = out.value("torch.sum(torch.mul(%s, %s), [1])", x, mask);
              yield out.value("torch.div(%s, torch.sum(%s, [1]))", sum, mask);
            }
          });
    }
    return results.size() == 1
        ? results.get(0)
        : out.value("torch.cat([%s], 1)", String.join(", ", results));
  }
}
