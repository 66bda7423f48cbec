package io.attune.launcher.evaluate;

import io.attune.engine.LoadOptions;
import io.attune.engine.PretrainedModel;
import io.attune.engine.RewardEnsemble;
import io.attune.engine.RewardModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A reward model, or several that score together. */
public final class RewardSubject extends Subject {
  private final RewardEnsemble ensemble;

  private RewardSubject(PretrainedModel model, RewardEnsemble ensemble, ReadingSettings settings) {
    super(model, settings);
    this.ensemble = ensemble;
  }

  /**
   * A reward model.
   *
   * @param adapter of the model; null where that is an encoder that scores
   * @param others further members of an ensemble: adapters of the model, or folders of encoders
   */
  public static RewardSubject of(
      PretrainedModel model, @Nullable Path adapter, List<Path> others, ReadingSettings settings) {
    List<RewardModel> members = new ArrayList<>();
    boolean loaded = false;
    try {
      members.add(RewardModel.load(model, adapter));
      for (Path other : others) {
        members.add(
            Files.exists(other.resolve("adapter_config.json"))
                ? RewardModel.load(model, other)
                : RewardModel.load(other, LoadOptions.defaults()));
      }
      RewardSubject subject = new RewardSubject(model, new RewardEnsemble(members), settings);
      loaded = true;
      return subject;
    } finally {
      if (!loaded) {
        members.forEach(RewardModel::close);
      }
    }
  }

  int members() {
    return ensemble.size();
  }

  List<RewardEnsemble.Score> score(List<RewardModel.Answer> answers) {
    return ensemble.score(answers, false);
  }

  @Override
  public void close() {
    ensemble.close();
  }
}
