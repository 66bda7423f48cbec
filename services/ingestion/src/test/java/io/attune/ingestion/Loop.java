package io.attune.ingestion;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Prompt;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;

/** Events that the service's neighbours would send. */
final class Loop {

  private Loop() {}

  static GenerationCompleted generation(String id, String conversation, String prompt) {
    return GenerationCompleted.newBuilder()
        .setGeneration(
            Generation.newBuilder()
                .setGenerationId(id)
                .setConversationId(conversation)
                .setAdapter(AdapterVersion.newBuilder().setLine("assistant").setVersion(3))
                .setPrompt(Prompt.newBuilder().setText(prompt))
                .setCompletion("answer of " + id))
        .build();
  }
}
