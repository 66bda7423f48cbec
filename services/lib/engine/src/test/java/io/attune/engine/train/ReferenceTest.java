package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Reading;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Before the first step the policy is the reference, whatever dropout its adapter has. */
class ReferenceTest {
  private static final double[] RATES = {0, 0.3};

  @TempDir Path folder;

  /** Adapters that were trained, so that dropout would show, and that training starts from. */
  @ParameterizedTest
  @CsvSource({
    "runs/dpo-sigmoid/final, lora_dropout",
    "adapters/dora, lora_dropout",
    "adapters/vera-drawn, vera_dropout"
  })
  void thePolicyIsTheAdapterThatItStartsFrom(String name, String setting) throws IOException {
    Path described = Golden.path(name).resolve("expected.json");
    String base =
        Files.exists(described) ? Golden.json(described).get("base").asText() : Runs.MODEL;
    for (double rate : RATES) {
      assertAgree(withDropout(name, setting, rate), base, true);
    }
  }

  @Test
  void aFreshAdapterIsTheBaseModel() throws IOException {
    for (double rate : RATES) {
      assertAgree(withDropout("runs/dpo-sigmoid/init", "lora_dropout", rate), Runs.MODEL, false);
    }
  }

  @Test
  void dropoutThatIsAskedForShows() throws IOException {
    Path files = withDropout("runs/dpo-sigmoid/final", "lora_dropout", 0.3);
    DecoderModel model = Runs.architecture();
    List<PreferencePair> pairs = Runs.pairs("dpo-sigmoid").subList(0, 2);
    try (Weights weights = Runs.weights(model, false);
        Adapter adapter = Adapters.read(AdapterFiles.open(files), Runs.base(model, weights));
        Adapter start = Adapters.read(AdapterFiles.open(files), Runs.base(model, weights));
        Policy policy = Policy.ofAdapter(model, weights, adapter, start, true)) {
      Dpo objective = new Dpo(Dpo.Config.DEFAULT);
      Reader<PreferencePair> reader = new Reader<>(policy, objective);
      Torch.seed(1);
      List<Reading> reference = reader.read(pairs, true);
      assertThat(reader.read(pairs, true).get(0).values()).isEqualTo(reference.get(0).values());
      assertThat(reader.forwardBackward(pairs, reference, 2).value())
          .isNotCloseTo(Math.log(2), within(1e-5));
    }
  }

  private Path withDropout(String name, String setting, double rate) throws IOException {
    Path copy = Files.createDirectories(folder.resolve(name + rate));
    ObjectNode config = (ObjectNode) Golden.json(Golden.path(name).resolve("adapter_config.json"));
    config.put(setting, rate);
    new ObjectMapper().writeValue(copy.resolve("adapter_config.json").toFile(), config);
    Files.copy(Golden.path(name).resolve(AdapterFiles.WEIGHTS), copy.resolve(AdapterFiles.WEIGHTS));
    return copy;
  }

  private static void assertAgree(Path files, String base, boolean started) throws IOException {
    DecoderModel model = Runs.architecture(base);
    List<PreferencePair> pairs = Runs.pairs("dpo-sigmoid");
    try (Weights weights = Runs.weights(model, base, false);
        Adapter adapter = Adapters.read(AdapterFiles.open(files), Runs.base(model, weights));
        Adapter start = Adapters.read(AdapterFiles.open(files), Runs.base(model, weights));
        Policy policy = Policy.ofAdapter(model, weights, adapter, started ? start : null, false)) {
      Dpo objective = new Dpo(Dpo.Config.DEFAULT);
      Reader<PreferencePair> reader = new Reader<>(policy, objective);
      List<Reading> reference = reader.read(pairs, true);
      assertSame(reader.read(pairs, false), reference);
      assertThat(reader.forwardBackward(pairs, reference, pairs.size()).value())
          .isCloseTo(Math.log(2), within(1e-6));

      // As over several epochs, when each row's reading is kept.
      List<Reading> kept = new ArrayList<>();
      pairs.forEach(pair -> kept.addAll(reader.read(List.of(pair), true)));
      assertSame(reader.read(pairs, false), kept);
    }
  }

  private static void assertSame(List<Reading> policy, List<Reading> reference) {
    assertThat(policy).hasSameSizeAs(reference);
    for (int i = 0; i < policy.size(); i++) {
      assertThat(policy.get(i).values()).containsExactly(reference.get(i).values(), within(1e-6));
    }
  }
}
