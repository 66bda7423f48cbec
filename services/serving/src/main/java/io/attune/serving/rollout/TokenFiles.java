package io.attune.serving.rollout;

import io.attune.common.v1.Artifact;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Token;
import io.attune.training.v1.RolloutTokens;
import io.attune.training.v1.TokenSequence;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Puts the tokens of a chunk into object storage, so that events carry a reference to them. */
@ApplicationScoped
public class TokenFiles {
  private static final String COLLECTION = "rollouts";
  private static final String NAME = "tokens.binpb";

  private final ObjectStores stores;

  public TokenFiles(ObjectStores stores) {
    this.stores = stores;
  }

  /**
   * Publishes the tokens of a rollout. Answered twice, the same tokens are one file; those of
   * another rollout are another one, whatever they are.
   */
  Artifact publish(Tenant tenant, String rolloutId, List<Answer> answers) {
    RolloutTokens.Builder tokens = RolloutTokens.newBuilder().setRolloutId(rolloutId);
    for (Answer answer : answers) {
      tokens.addSequences(sequence(answer));
    }
    ObjectStore store = stores.of(tenant);
    Path staged = store.stage(COLLECTION);
    try {
      Files.write(staged.resolve(NAME), tokens.build().toByteArray());
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot write the tokens of a rollout", failed);
    }
    return store.publishFile(COLLECTION, staged, NAME);
  }

  private static TokenSequence sequence(Answer answer) {
    TokenSequence.Builder sequence = TokenSequence.newBuilder();
    for (int id : answer.promptIds()) {
      sequence.addPromptTokenIds(id);
    }
    for (Token token : answer.tokens()) {
      sequence.addCompletionTokenIds(token.id()).addLogProbabilities(token.logProbability());
    }
    return sequence.build();
  }
}
