package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@code config.json} so that nothing is overlooked: a key that was neither read nor is known
 * to leave the numbers alone is refused by name.
 */
final class ConfigReader {
  /**
   * Generation defaults, output switches and bookkeeping: none changes a forward pass. Nor do keys
   * that begin with an underscore, which transformers keeps for itself.
   */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "add_cross_attention",
          "architectures",
          "attn_implementation",
          "auto_map",
          "bad_words_ids",
          "begin_suppress_tokens",
          "bos_token_id",
          "cache_implementation",
          "chunk_size_feed_forward",
          "cls_token_id",
          "cross_attention_hidden_size",
          "decoder_start_token_id",
          "diversity_penalty",
          "do_sample",
          "dtype",
          "early_stopping",
          "encoder_no_repeat_ngram_size",
          "eos_token_id",
          "exponential_decay_length_penalty",
          "finetuning_task",
          "forced_bos_token_id",
          "forced_eos_token_id",
          "id2label",
          "initializer_range",
          "is_decoder",
          "is_encoder_decoder",
          "is_llama_config",
          "label2id",
          "length_penalty",
          "mask_token_id",
          "max_length",
          "min_length",
          "model_type",
          "no_repeat_ngram_size",
          "num_beam_groups",
          "num_beams",
          "num_labels",
          "num_return_sequences",
          "output_attentions",
          "output_hidden_states",
          "output_scores",
          "pad_token_id",
          "prefix",
          "problem_type",
          "pruned_heads",
          "remove_invalid_values",
          "repetition_penalty",
          "return_dict",
          "return_dict_in_generate",
          "sep_token_id",
          "suppress_tokens",
          "task_specific_params",
          "temperature",
          "tf_legacy_loss",
          "tokenizer_class",
          "top_k",
          "top_p",
          "torch_dtype",
          "torchscript",
          "transformers.js_config",
          "transformers_version",
          "typical_p",
          "unk_token_id",
          "unsloth_fixed",
          "unsloth_version",
          "use_bfloat16",
          "use_cache");

  private final JsonNode json;
  private final String where;
  private final Set<String> read = new HashSet<>();

  ConfigReader(JsonNode json, String where) {
    this.json = json;
    this.where = where;
  }

  boolean has(String key) {
    read.add(key);
    return json.hasNonNull(key);
  }

  int integer(String key) {
    JsonNode value = required(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw malformed(key, "is " + value + ", not an integer");
    }
    return value.intValue();
  }

  /** A size: an integer of at least 1, and no larger than any model has. */
  int size(String key) {
    return size(key, integer(key));
  }

  /**
   * @param absent the size where the file has none; computed from others, so checked as well
   */
  int size(String key, int absent) {
    int value = has(key) ? integer(key) : absent;
    if (value < 1 || value > largest(key)) {
      throw malformed(key, "is " + value + ", which no model has; at most " + largest(key));
    }
    return value;
  }

  /**
   * The largest size accepted. Far above every published model, and so low that the product of two
   * sizes that make a dimension (heads times their width) is an int, and that one entry a layer
   * takes no memory to speak of.
   */
  private static int largest(String key) {
    if (key.contains("layer") || key.contains("head")) {
      return 1 << 12;
    }
    return key.contains("vocab") || key.contains("position") || key.contains("ctx")
        ? 1 << 24
        : 1 << 18;
  }

  int integer(String key, int absent) {
    return has(key) ? integer(key) : absent;
  }

  double number(String key, double absent) {
    if (!has(key)) {
      return absent;
    }
    JsonNode value = json.get(key);
    // A number may be too large for a double, which makes it infinite.
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw malformed(key, "is " + value + ", not a finite number");
    }
    return value.doubleValue();
  }

  /** A probability of dropout. */
  double dropout(String key, double absent) {
    double value = number(key, absent);
    if (!(value >= 0 && value < 1)) {
      throw malformed(key, "is " + value + "; a probability of dropout is in [0, 1)");
    }
    return value;
  }

  double number(String key) {
    required(key);
    return number(key, 0);
  }

  boolean flag(String key, boolean absent) {
    if (!has(key)) {
      return absent;
    }
    JsonNode value = json.get(key);
    if (!value.isBoolean()) {
      throw malformed(key, "is " + value + ", not true or false");
    }
    return value.booleanValue();
  }

  String text(String key, String absent) {
    return has(key) ? json.get(key).asText() : absent;
  }

  /** An id, or a list of ids, or nothing. */
  List<Integer> ids(String key) {
    List<Integer> ids = new ArrayList<>();
    if (has(key)) {
      JsonNode value = json.get(key);
      for (JsonNode id : value.isArray() ? value : List.of(value)) {
        if (!id.isIntegralNumber() || !id.canConvertToInt()) {
          throw malformed(key, "holds " + id + ", not a token id");
        }
        ids.add(id.intValue());
      }
    }
    return List.copyOf(ids);
  }

  /** A list of texts; empty where there is none. */
  List<String> list(String key) {
    List<String> texts = new ArrayList<>();
    if (has(key)) {
      for (JsonNode text : json.get(key)) {
        if (!text.isTextual()) {
          throw malformed(key, "holds " + text + ", not a text");
        }
        texts.add(text.textValue());
      }
    }
    return List.copyOf(texts);
  }

  /** An object whose values are all texts. */
  Map<String, String> texts(String key) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : required(key).properties()) {
      if (!field.getValue().isTextual()) {
        throw malformed(key, "has " + field.getValue() + ", not a text");
      }
      texts.put(field.getKey(), field.getValue().textValue());
    }
    return texts;
  }

  /** A list of numbers, which must be there. */
  List<Double> numbers(String key) {
    List<Double> numbers = new ArrayList<>();
    for (JsonNode number : required(key)) {
      if (!number.isNumber()) {
        throw malformed(key, "holds " + number + ", not a number");
      }
      numbers.add(number.doubleValue());
    }
    return List.copyOf(numbers);
  }

  /** Marks settings as read that change no number of a trained model: dropout, say. */
  void ignore(String... keys) {
    read.addAll(List.of(keys));
  }

  /** A window in tokens; 0, for none, where it is null. */
  int window(String key, int absent) {
    if (!present(key)) {
      return absent;
    }
    return has(key) ? size(key) : 0;
  }

  /** Whether the key is there, {@code null} included. */
  boolean present(String key) {
    read.add(key);
    return json.has(key);
  }

  ConfigReader object(String key) {
    JsonNode value = required(key);
    if (!value.isObject()) {
      throw malformed(key, "is " + value + ", not an object");
    }
    return new ConfigReader(value, where + ": " + key);
  }

  /** Refuses any other value: that one is all that is implemented. */
  void only(String key, String value, String absent) {
    String found = text(key, absent);
    if (!found.equals(value)) {
      throw unsupported(key, found, "only " + value + " is implemented");
    }
  }

  EngineException unsupported(String key, String value, String why) {
    return new EngineException(
        Reason.UNSUPPORTED, where + ": '" + key + "' is " + value + "; " + why);
  }

  EngineException malformed(String key, String what) {
    return new EngineException(Reason.CORRUPT, where + ": '" + key + "' " + what);
  }

  /** Refuses what nobody read, unless it is empty or known to change nothing. */
  void finish() {
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      JsonNode value = field.getValue();
      String key = field.getKey();
      boolean empty =
          value.isNull()
              || (value.isBoolean() && !value.booleanValue())
              || (value.isContainerNode() && value.isEmpty());
      boolean known = key.startsWith("_") || read.contains(key) || WITHOUT_EFFECT.contains(key);
      if (!empty && !known) {
        throw unsupported(key, value.toString(), "this setting is not implemented");
      }
    }
  }

  private JsonNode required(String key) {
    if (!has(key)) {
      throw malformed(key, "is missing");
    }
    return json.get(key);
  }
}
