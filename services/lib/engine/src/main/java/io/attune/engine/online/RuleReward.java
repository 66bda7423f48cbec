package io.attune.engine.online;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.template.Formula;
import io.attune.engine.template.TemplateException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A reward that an expression computes, in the language of chat templates (Jinja).
 *
 * <p>It may name {@code prompt} and {@code completion} (texts), {@code prompt_tokens} and {@code
 * completion_tokens} (how many), {@code ended} (whether the completion ended by itself), {@code
 * row} (all keys of the prompt's row), and each key of the row that has none of these names.
 */
public final class RuleReward implements RewardSource {
  private final String name;
  private final String source;
  private final Formula formula;

  /**
   * @throws IllegalArgumentException if the expression is malformed
   */
  public RuleReward(String name, String expression) {
    this.name = name;
    this.source = expression;
    try {
      this.formula = Formula.parse(expression);
    } catch (TemplateException e) {
      throw new IllegalArgumentException(
          "'reward_rule' " + expression + " " + e.getMessage() + "; it is an expression of Jinja's",
          e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double[] score(List<Rollout> rollouts) {
    double[] scores = new double[rollouts.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = score(rollouts.get(i));
    }
    return scores;
  }

  private double score(Rollout rollout) {
    Map<String, Object> fields = rollout.prompt().row().fields();
    Map<String, Object> variables = new HashMap<>(fields);
    variables.put("row", fields);
    variables.put("prompt", rollout.prompt().text());
    variables.put("completion", rollout.completion());
    variables.put("prompt_tokens", rollout.prompt().ids().length);
    variables.put("completion_tokens", rollout.completionIds().length);
    variables.put("ended", rollout.ended());
    try {
      return formula.number(variables, Clock.systemUTC());
    } catch (TemplateException e) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "'reward_rule' " + source + " " + e.getMessage(), e);
    }
  }
}
