package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * Rows as LLaMA-Factory's users have them, and what the tiny model reads of them. {@code
 * expected.json} holds the tokens and labels that transformers gives them.
 */
final class FormFiles implements AutoCloseable {
  static final HubLayout MODEL = HubLayout.of(Golden.path("models/llama"));

  private final Tokenizer tokenizer = Tokenizer.open(MODEL);

  static Path file(String name) {
    return Golden.path("forms/" + name);
  }

  static JsonNode expected() throws IOException {
    return Golden.json("forms/expected.json");
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  Examples examples(ExampleOptions options) {
    return examples(MODEL, options);
  }

  /**
   * @param layout whose chat template is used
   */
  Examples examples(HubLayout layout, ExampleOptions options) {
    return new Examples(tokenizer, ChatTemplate.open(layout), Set.of(2), 8192, options);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
