package io.attune.serving;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.Release;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.generate.Generator;
import io.attune.serving.generate.Generator.LoadedAdapter;
import jakarta.enterprise.context.ApplicationScoped;

/** Loads a version's adapter from object storage, every file of it checked against its digest. */
@ApplicationScoped
public class AdapterLoader implements LineSwitch.Loader<LoadedAdapter> {

  private final ObjectStores stores;
  private final Generator generator;

  public AdapterLoader(ObjectStores stores, Generator generator) {
    this.stores = stores;
    this.generator = generator;
  }

  @Override
  public LoadedAdapter load(Release release) {
    String contract = release.contractSha256();
    if (!contract.isEmpty() && !contract.equals(generator.contractSha256())) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INCOMPATIBLE,
          "Version %s was trained with another tokenizer, chat template or end-of-sequence tokens than this base model's (contract %s, here %s)."
              .formatted(release.version(), contract, generator.contractSha256()));
    }
    return generator.load(stores.of(release.version().tenant()).open(release.artifact()));
  }
}
