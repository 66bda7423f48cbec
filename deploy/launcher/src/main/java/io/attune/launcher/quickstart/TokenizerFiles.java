package io.attune.launcher.quickstart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes a byte-pair encoding as the files that Hugging Face's tokenizers read. */
final class TokenizerFiles {
  /** Special tokens in the order of their ids, from 0. */
  static final List<String> SPECIAL = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** ChatML: each turn between two special tokens, with its role on the first line. */
  private static final String CHAT_TEMPLATE =
      "{% for message in messages %}"
          + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
          + "{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private TokenizerFiles() {}

  /** How many ids a vocabulary with so many merges has. */
  static int vocabularySize(int merges) {
    return SPECIAL.size() + 256 + merges;
  }

  /** Writes tokenizer.json, tokenizer_config.json and chat_template.jinja into a folder. */
  static void write(Path folder, List<BytePairTrainer.Pair> merges, int contextLength)
      throws IOException {
    Files.writeString(
        folder.resolve("tokenizer.json"), JSON.writeValueAsString(tokenizer(merges)) + "\n");
    ObjectNode config = JSON.createObjectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.putNull("bos_token");
    config.put("eos_token", "<|im_end|>");
    config.put("pad_token", "<|endoftext|>");
    config.put("model_max_length", contextLength);
    config.put("add_bos_token", false);
    config.put("clean_up_tokenization_spaces", false);
    Files.writeString(
        folder.resolve("tokenizer_config.json"), JSON.writeValueAsString(config) + "\n");
    Files.writeString(folder.resolve("chat_template.jinja"), CHAT_TEMPLATE + "\n");
  }

  private static ObjectNode tokenizer(List<BytePairTrainer.Pair> merges) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (int id = 0; id < SPECIAL.size(); id++) {
      ObjectNode token = added.addObject();
      token.put("id", id);
      token.put("content", SPECIAL.get(id));
      token.put("single_word", false);
      token.put("lstrip", false);
      token.put("rstrip", false);
      token.put("normalized", false);
      token.put("special", true);
    }
    root.putNull("normalizer");
    root.set("pre_tokenizer", byteLevel(false));
    root.putNull("post_processor");
    root.set("decoder", byteLevel(true));
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    ObjectNode vocabulary = model.putObject("vocab");
    SPECIAL.forEach(token -> vocabulary.put(token, vocabulary.size()));
    for (int b = 0; b < 256; b++) {
      vocabulary.put(BytePairTrainer.symbol(b), vocabulary.size());
    }
    ArrayNode list = model.putArray("merges");
    for (BytePairTrainer.Pair pair : merges) {
      vocabulary.put(pair.left() + pair.right(), vocabulary.size());
      list.addArray().add(pair.left()).add(pair.right());
    }
    return root;
  }

  private static ObjectNode byteLevel(boolean decoder) {
    ObjectNode node = JSON.createObjectNode();
    node.put("type", "ByteLevel");
    node.put("add_prefix_space", decoder);
    node.put("trim_offsets", true);
    node.put("use_regex", true);
    return node;
  }
}
