package io.attune.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.model.Weights;
import io.attune.engine.tensor.Seed;
import io.attune.engine.train.Policy;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What says how good a text is going to be, at every token of it: an adapter of its own and a head
 * that starts at zero, on the policy's frozen base weights or on a base model of its own.
 */
final class ValueModel implements AutoCloseable {
  private static final String FOLDER = "value";

  private final @Nullable LanguageModel own;
  private final Adapter adapter;
  private final Policy policy;

  private ValueModel(@Nullable LanguageModel own, Adapter adapter, Policy policy) {
    this.own = own;
    this.adapter = adapter;
    this.policy = policy;
  }

  /**
   * @param policy the policy's model
   * @param frozen its base weights, which stay as they are
   */
  static ValueModel onBase(LanguageModel policy, Weights frozen, TrainingSettings settings) {
    Adapter adapter = adapter(policy, settings);
    return new ValueModel(null, adapter, policy(policy, frozen, adapter, settings));
  }

  /**
   * @param folder of a base model that has the policy's tokenizer
   */
  static ValueModel onOwn(Path folder, LanguageModel policy, TrainingSettings settings) {
    LanguageModel own = LanguageModel.load(folder, LoadOptions.defaults());
    boolean opened = false;
    try {
      if (!own.contractSha256().equals(policy.contractSha256())) {
        throw new EngineException(
            Reason.INCOMPATIBLE,
            "'value_model' "
                + folder
                + " has another tokenizer, chat template or end-of-sequence token than "
                + policy.folder()
                + "; it has to read the same tokens");
      }
      Adapter adapter = adapter(own, settings);
      ValueModel model =
          new ValueModel(own, adapter, policy(own, own.weights(), adapter, settings));
      opened = true;
      return model;
    } finally {
      if (!opened) {
        own.close();
      }
    }
  }

  private static Adapter adapter(LanguageModel base, TrainingSettings settings) {
    ObjectNode config = settings.valueAdapter(base.folder().toString());
    return base.createAdapter(config, Seed.derive(settings.arguments().seed(), FOLDER.hashCode()));
  }

  private static Policy policy(
      LanguageModel base, Weights weights, Adapter adapter, TrainingSettings settings) {
    return Policy.ofAdapter(base.architecture(), weights, adapter, null)
        .withCheckpointing(settings.compute().gradientCheckpointing());
  }

  Policy policy() {
    return policy;
  }

  /** Writes adapter and head beside the policy. */
  void write(Path out) {
    AdapterFiles.write(out.resolve(FOLDER), adapter.config(), adapter.tensors());
  }

  @Override
  public void close() {
    policy.close();
    adapter.close();
    if (own != null) {
      own.close();
    }
  }
}
