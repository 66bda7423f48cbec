package io.attune.engine.online;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Completions that come from elsewhere with their rewards. Their writer may have been an older
 * policy, and computes in another order: importance weights correct for both.
 *
 * <p>Single-threaded.
 */
public final class ExchangedRollouts implements RolloutSource, RewardSource {
  private final RolloutExchange exchange;
  private final Consumer<Path> policy;

  /**
   * @param policy writes the policy's adapter, as it is when called, into a folder
   */
  public ExchangedRollouts(RolloutExchange exchange, Consumer<Path> policy) {
    this.exchange = exchange;
    this.policy = policy;
  }

  @Override
  public boolean isElsewhere() {
    return true;
  }

  @Override
  public List<Rollout> write(List<Prompt> prompts, int each, String purpose, int number) {
    List<RolloutExchange.Written> written =
        exchange.exchange(number, prompts.stream().map(Prompt::row).toList(), each, policy);
    if (written.size() != prompts.size() * each) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "iteration %d asked for %d completions and got %d"
              .formatted(number, prompts.size() * each, written.size()));
    }
    List<Rollout> rollouts = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      rollouts.add(rollout(prompts.get(i / each), written.get(i), number, i));
    }
    return rollouts;
  }

  private static Rollout rollout(
      Prompt prompt, RolloutExchange.Written written, int iteration, int index) {
    String where = "completion %d of iteration %d ".formatted(index, iteration);
    if (!Arrays.equals(prompt.ids(), written.promptIds())) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          where
              + "continues other tokens than the prompt has here: its writer has another tokenizer"
              + " or chat template");
    }
    if (written.completionIds().length == 0
        || written.completionIds().length != written.logProbs().length) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          where
              + "has %d tokens and %d log-probabilities; it needs as many, at least one"
                  .formatted(written.completionIds().length, written.logProbs().length));
    }
    return new Rollout(
        prompt,
        written.completionIds(),
        written.completion(),
        written.ended(),
        new Rollout.Origin(written.logProbs(), written.score()));
  }

  @Override
  public String name() {
    return "reward_model";
  }

  @Override
  public double[] score(List<Rollout> rollouts) {
    return rollouts.stream().mapToDouble(rollout -> rollout.origin().score()).toArray();
  }
}
