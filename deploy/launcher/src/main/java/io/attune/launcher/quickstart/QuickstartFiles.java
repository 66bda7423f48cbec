package io.attune.launcher.quickstart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes everything that `attune train` needs to make the bundled base model from nothing. */
public final class QuickstartFiles {
  private static final int CONTEXT_LENGTH = 512;
  private static final int MERGES = 765;
  private static final ObjectMapper JSON = new ObjectMapper();

  private QuickstartFiles() {}

  /**
   * Writes {@code corpus.jsonl} and {@code held-out.jsonl} (rows with messages) and, under {@code
   * init}, a model folder without weights.
   *
   * @param dialogues rows of the corpus; a fiftieth of that is held out
   */
  public static void write(Path folder, int dialogues, long seed) throws IOException {
    Path init = Files.createDirectories(folder.resolve("init"));
    ShopDialogues shop = new ShopDialogues(seed);
    List<Dialogue> corpus = draw(shop, dialogues);
    rows(folder.resolve("corpus.jsonl"), corpus);
    rows(folder.resolve("held-out.jsonl"), draw(shop, dialogues / 50));
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("user\n");
    trainer.add("assistant\n");
    for (Dialogue dialogue : corpus) {
      trainer.add(dialogue.question().text());
      trainer.add(dialogue.reply());
    }
    List<BytePairTrainer.Pair> merges = trainer.learn(MERGES);
    TokenizerFiles.write(init, merges, CONTEXT_LENGTH);
    modelConfig(init, TokenizerFiles.vocabularySize(merges.size()));
  }

  private static List<Dialogue> draw(ShopDialogues shop, int count) {
    List<Dialogue> dialogues = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      dialogues.add(shop.dialogue());
    }
    return dialogues;
  }

  private static void rows(Path file, List<Dialogue> dialogues) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      for (Dialogue dialogue : dialogues) {
        ObjectNode row = JSON.createObjectNode();
        ArrayNode messages = row.putArray("messages");
        messages.addObject().put("role", "user").put("content", dialogue.question().text());
        messages.addObject().put("role", "assistant").put("content", dialogue.reply());
        out.write(JSON.writeValueAsString(row));
        out.write('\n');
      }
    }
  }

  private static void modelConfig(Path folder, int vocabularySize) throws IOException {
    ObjectNode config = JSON.createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config.put("model_type", "llama");
    config.put("vocab_size", vocabularySize);
    config.put("hidden_size", 192);
    config.put("intermediate_size", 512);
    config.put("num_hidden_layers", 6);
    config.put("num_attention_heads", 6);
    config.put("num_key_value_heads", 2);
    config.put("head_dim", 32);
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", CONTEXT_LENGTH);
    config.put("rope_theta", 10000.0);
    config.put("rms_norm_eps", 1e-5);
    config.put("initializer_range", 0.02);
    config.put("tie_word_embeddings", true);
    config.put("attention_bias", false);
    config.put("mlp_bias", false);
    config.putNull("bos_token_id");
    config.put("eos_token_id", TokenizerFiles.SPECIAL.indexOf("<|im_end|>"));
    config.put("pad_token_id", TokenizerFiles.SPECIAL.indexOf("<|endoftext|>"));
    config.put("torch_dtype", "float32");
    Files.writeString(
        folder.resolve("config.json"),
        JSON.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsString(config) + "\n");
  }
}
