package io.attune.engine.fuzz;

import io.attune.engine.gguf.GgufFormat;
import io.attune.engine.onnx.OnnxFormat;
import io.attune.engine.train.CheckpointFormat;
import java.util.List;

/**
 * Every format that is read from strangers: {@link MutantsTest} and {@link FuzzTarget} attack them.
 */
public final class Formats {
  private Formats() {}

  public static List<Format> all() {
    return List.of(
        new SafeTensorsFormat(),
        new ShardIndexFormat(),
        new ConfigFormat(),
        new TokenizerFormat(),
        new TokenizerConfigFormat(),
        new ChatTemplateFormat(),
        new AdapterFormat(),
        new CheckpointFormat(),
        new GgufFormat(),
        new OnnxFormat());
  }
}
