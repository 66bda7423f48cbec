package io.attune.engine.fuzz;

import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.TokenContract;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code tokenizer_config.json}: special tokens and the chat template in it. */
public final class TokenizerConfigFormat implements Format {
  @Override
  public String name() {
    return "tokenizer-config";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    return List.of(
        Files.readAllBytes(Golden.path("models/llama/tokenizer_config.json")),
        ("{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\",\"special\":true},"
                + "\"pad_token\":null,\"unk_token\":\"<unk>\",\"chat_template\":[{\"name\":\"default\","
                + "\"template\":\"{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}\"}]}")
            .getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    if (!Files.exists(folder.resolve("config.json"))) {
      Files.copy(Golden.path("models/llama/tokenizer.json"), folder.resolve("tokenizer.json"));
      Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\":2}");
    }
    Files.write(folder.resolve("tokenizer_config.json"), file);
    HubLayout layout = HubLayout.of(folder);
    try (Tokenizer tokenizer = Tokenizer.open(layout)) {
      Optional<ChatTemplate> template = ChatTemplate.open(layout);
      TokenContract.of(layout, tokenizer, template);
      template.ifPresent(t -> t.render(List.of(new ChatMessage("user", "Hi")), true));
    }
  }
}
