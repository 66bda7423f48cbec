package io.attune.engine.fuzz;

import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** {@code adapter_config.json}, beside the weights of an adapter, for a model. */
public final class AdapterFormat implements Format {
  private final BaseModel base = base();

  private static BaseModel base() {
    DecoderModel model =
        (DecoderModel)
            Models.architecture(HubLayout.of(Golden.path("models/llama")).config(), "config.json");
    return new BaseModel(
        model.linears(),
        model.embedding(),
        model.heads(),
        model.layers(),
        model.parameters(),
        Map.of(),
        model.config().tieWordEmbeddings(),
        name -> null);
  }

  @Override
  public String name() {
    return "adapter";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    return List.of(Files.readAllBytes(Golden.path("adapters/lora/adapter_config.json")));
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Path weights = folder.resolve(AdapterFiles.WEIGHTS);
    if (!Files.exists(weights)) {
      Files.copy(Golden.path("adapters/lora/adapter_model.safetensors"), weights);
    }
    Files.write(folder.resolve(AdapterFiles.CONFIG), file);
    try (Adapter adapter = Adapters.read(AdapterFiles.open(folder), base)) {
      adapter.tensors();
    }
  }
}
