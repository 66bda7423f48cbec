package io.attune.reward;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.Release;
import io.attune.platform.storage.ObjectStores;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Path;

/** Loads a version's reward model from object storage, every file checked against its digest. */
@ApplicationScoped
public class ModelLoader implements LineSwitch.Loader<Scorer.Model> {

  private final ObjectStores stores;
  private final Scorer scorer;

  public ModelLoader(ObjectStores stores, Scorer scorer) {
    this.stores = stores;
    this.scorer = scorer;
  }

  @Override
  public Scorer.Model load(Release release) {
    Path folder = stores.of(release.version().tenant()).open(release.artifact());
    String contract = release.contractSha256();
    // An encoder reads texts by a tokenizer of its own.
    if (Scorer.isAdapter(folder)
        && !contract.isEmpty()
        && !contract.equals(scorer.contractSha256())) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INCOMPATIBLE,
          "Version %s was trained with another tokenizer, chat template or end-of-sequence tokens than this base model's (contract %s, here %s)."
              .formatted(release.version(), contract, scorer.contractSha256()));
    }
    return scorer.load(folder);
  }
}
