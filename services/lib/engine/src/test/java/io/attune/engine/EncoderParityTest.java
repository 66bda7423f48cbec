package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.token.TokenizedText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Encoders against transformers, their adapters against PEFT, their embeddings against
 * sentence-transformers 6.2.0: batches of unequal texts, with segments where there are any.
 */
class EncoderParityTest {
  @TempDir Path folder;

  static List<TokenizedText> texts(JsonNode expected) {
    List<int[]> ids = Golden.sequences(expected);
    List<TokenizedText> texts = new ArrayList<>();
    for (int row = 0; row < ids.size(); row++) {
      int[] segments = new int[ids.get(row).length];
      if (expected.has("token_type_ids")) {
        int[] all = Golden.ints(expected.get("token_type_ids").get(row));
        System.arraycopy(all, 0, segments, 0, segments.length);
      }
      texts.add(new TokenizedText(ids.get(row), segments));
    }
    return texts;
  }

  /**
   * Compares rows of any lengths with the reference's, which are padded to the same width.
   *
   * @param rows what was computed for each text
   */
  static void assertRows(List<float[]> rows, float[] expected, float tolerance) {
    int width = expected.length / rows.size();
    for (int row = 0; row < rows.size(); row++) {
      assertThat(rows.get(row)).isNotEmpty().hasSizeLessThanOrEqualTo(width);
      for (int i = 0; i < rows.get(row).length; i++) {
        assertThat(rows.get(row)[i])
            .as("row %d, place %d", row, i)
            .isCloseTo(expected[row * width + i], within(tolerance));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "bert-classifier,SEQ_CLS,3",
    "roberta-classifier,SEQ_CLS,3",
    "distilbert-classifier,SEQ_CLS,3",
    "bert-multilabel,SEQ_CLS,4",
    "bert-regression,SEQ_CLS,1",
    "bert-tokens,TOKEN_CLS,4",
    "roberta-tokens,TOKEN_CLS,4",
    "distilbert-tokens,TOKEN_CLS,4",
    "seed2/bert-classifier,SEQ_CLS,3",
    "seed2/roberta-classifier,SEQ_CLS,3"
  })
  void logitsAgreeWithTransformers(String name, EncoderTask task, int labels) throws IOException {
    String at = Golden.folder("models", name);
    List<TokenizedText> texts = texts(Golden.json(at + "/expected.json"));
    try (PretrainedModel loaded = PretrainedModel.load(Golden.path(at), LoadOptions.defaults())) {
      TextEncoder model = (TextEncoder) loaded;
      assertThat(model.task()).isEqualTo(task);
      assertThat(model.labels().count()).isEqualTo(labels);
      List<float[]> rows = model.logits(texts, null, false);
      for (int row = 0; row < rows.size(); row++) {
        int places = task == EncoderTask.TOKEN_CLS ? texts.get(row).length() : 1;
        assertThat(rows.get(row)).hasSize(places * labels);
      }
      assertRows(rows, Golden.tensor(at + "/expected.safetensors", "logits"), 1e-4f);
    }
  }

  @ParameterizedTest
  @CsvSource({"bert-model,true", "roberta-model,true", "distilbert-model,false"})
  void hiddenStatesAgreeWithTransformers(String name, boolean pooler) throws IOException {
    String at = "models/" + name;
    List<TokenizedText> texts = texts(Golden.json(at + "/expected.json"));
    try (TextEncoder model = TextEncoder.load(Golden.path(at), LoadOptions.defaults())) {
      assertThat(model.task()).isEqualTo(EncoderTask.FEATURE_EXTRACTION);
      String file = at + "/expected.safetensors";
      assertRows(model.hidden(texts, null, false), Golden.tensor(file, "last_hidden_state"), 1e-4f);
      if (pooler) {
        assertRows(model.pooled(texts, null, false), Golden.tensor(file, "pooler_output"), 1e-4f);
      }
    }
  }

  @Test
  void labelsKeepTheirNames() {
    try (TextEncoder model =
        TextEncoder.load(Golden.path("models/bert-tokens"), LoadOptions.defaults())) {
      assertThat(model.labels().names()).containsExactly("O", "PER", "ORG", "LOC");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-tokens", "roberta-classifier", "distilbert-classifier"})
  void batchGivesWhatSingleTextsGive(String name) throws IOException {
    String at = "models/" + name;
    List<TokenizedText> texts = new ArrayList<>();
    for (int i = 0; i < 20; i++) { // more than one pass, in an order that is not that of lengths
      texts.addAll(texts(Golden.json(at + "/expected.json")));
    }
    try (TextEncoder model = TextEncoder.load(Golden.path(at), LoadOptions.defaults())) {
      List<float[]> together = model.logits(texts, null, false);
      int last = texts.size() - 1;
      for (int i = 0; i < 2; i++) {
        float[] alone = model.logits(List.of(texts.get(i)), null, false).get(0);
        assertThat(together.get(i)).containsExactly(alone, within(1e-5f));
        float[] end = model.logits(List.of(texts.get(last - i)), null, false).get(0);
        assertThat(together.get(last - i)).containsExactly(end, within(1e-5f));
      }
    }
  }

  /** Checkpoints without the family's prefix, and those from TensorFlow with gamma and beta. */
  @Test
  void namesOfEarlierYearsAreRead() throws IOException {
    List<TokenizedText> texts = texts(Golden.json("models/bert-classifier/expected.json"));
    rename(
        "models/bert-classifier",
        name ->
            name.replace("bert.", "")
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta"));
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults())) {
      assertRows(
          model.logits(texts, null, false),
          Golden.tensor("models/bert-classifier/expected.safetensors", "logits"),
          1e-4f);
    }
  }

  /** A checkpoint of pretraining is the encoder without that head; it need not have a pooler. */
  @Test
  void pretrainedCheckpointIsAnEncoder() throws IOException {
    List<TokenizedText> texts = texts(Golden.json("models/bert-model/expected.json"));
    rename("models/bert-model", name -> name.startsWith("pooler.") ? null : "bert." + name);
    Path config = folder.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("BertModel", "BertForMaskedLM"));
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults())) {
      assertRows(
          model.hidden(texts, null, false),
          Golden.tensor("models/bert-model/expected.safetensors", "last_hidden_state"),
          1e-4f);
      assertThatThrownBy(() -> model.pooled(texts, null, false))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("has no pooler");
      assertThatThrownBy(() -> model.logits(texts, null, false))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("has no head that classifies");
    }
  }

  /** Copies a model into {@link #folder} with other tensor names; null leaves a tensor out. */
  private void rename(String from, UnaryOperator<String> names) throws IOException {
    copy(Golden.path(from));
    try (SafeTensors stored = SafeTensors.open(Golden.path(from).resolve("model.safetensors"))) {
      List<TensorData> tensors = new ArrayList<>();
      for (String name : stored.names()) {
        String other = names.apply(name);
        if (other != null) {
          tensors.add(TensorData.copy(stored, name, other));
        }
      }
      Files.delete(folder.resolve("model.safetensors"));
      SafeTensorsWriter.write(
          folder.resolve("model.safetensors"), tensors, SafeTensorsWriter.PYTORCH);
    }
  }

  private void copy(Path from) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = folder.resolve(from.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "bert-seq-cls,bert-classifier,SEQ_CLS,3",
    "roberta-seq-cls,roberta-classifier,SEQ_CLS,3",
    "distilbert-seq-cls,distilbert-classifier,SEQ_CLS,3",
    "bert-token-cls,bert-tokens,TOKEN_CLS,4",
    "bert-features,bert-model,FEATURE_EXTRACTION,0",
    "bert-new-head,bert-model,SEQ_CLS,5"
  })
  void adaptersAgreeWithPeft(String name, String base, EncoderTask task, int labels)
      throws IOException {
    String at = "adapters/" + name;
    List<TokenizedText> texts = texts(Golden.json(at + "/expected.json"));
    try (TextEncoder model =
            TextEncoder.load(Golden.path("models/" + base), LoadOptions.defaults());
        LoadedEncoderAdapter adapter = model.loadAdapter(Golden.path(at))) {
      assertThat(adapter.task()).isEqualTo(task);
      for (boolean merged : new boolean[] {false, true}) {
        float[] expected =
            Golden.tensor(at + "/expected.safetensors", merged ? "merged_logits" : "logits");
        if (task == EncoderTask.FEATURE_EXTRACTION) {
          assertRows(model.hidden(texts, adapter, merged), expected, 1e-4f);
        } else {
          assertThat(adapter.labels().names()).hasSize(labels);
          assertRows(model.logits(texts, adapter, merged), expected, 1e-4f);
        }
      }
      // What is saved is what was read, under PEFT's names.
      Path saved = folder.resolve("saved");
      AdapterFiles.write(saved, adapter.adapter().config(), adapter.adapter().tensors());
      try (SafeTensors original = SafeTensors.open(Golden.path(at + "/adapter_model.safetensors"));
          SafeTensors written = SafeTensors.open(saved.resolve(AdapterFiles.WEIGHTS))) {
        assertThat(written.names()).containsExactlyInAnyOrderElementsOf(original.names());
        for (String tensor : original.names()) {
          assertThat(written.data(tensor)).as(tensor).isEqualTo(original.data(tensor));
        }
      }
      assertThat(AdapterFiles.open(saved).config())
          .isEqualTo(Golden.json(at + "/adapter_config.json"));
    }
  }

  /** An adapter that was made for the encoder without its head works beside the head. */
  @Test
  void featuresOfAClassifierCanBeAdapted() throws IOException {
    List<TokenizedText> texts = texts(Golden.json("adapters/bert-features/expected.json"));
    rename("models/bert-model", name -> "bert." + name);
    Path config = folder.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("BertModel", "BertForMaskedLM"));
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults());
        LoadedEncoderAdapter adapter = model.loadAdapter(Golden.path("adapters/bert-features"))) {
      assertRows(
          model.hidden(texts, adapter, false),
          Golden.tensor("adapters/bert-features/expected.safetensors", "logits"),
          1e-4f);
    }
  }

  @ParameterizedTest
  @CsvSource({"mean-normalized,32", "cls-dense,16", "max-and-mean,64"})
  void embeddingsAgreeWithSentenceTransformers(String name, int size) throws IOException {
    JsonNode expected = Golden.json("sentence/" + name + "/expected.json");
    copy(Golden.path(expected.get("base").asText()));
    copy(Golden.path("sentence/" + name));
    List<String> texts = new ArrayList<>();
    expected.get("texts").forEach(text -> texts.add(text.asText()));
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults())) {
      assertThat(model.embeddingSize()).isEqualTo(size);
      assertRows(
          model.embed(texts),
          Golden.tensor("sentence/" + name + "/expected.safetensors", "embeddings"),
          1e-5f);
    }
  }

  /** Without modules.json an embedding is the mean over a text's tokens. */
  @Test
  void embeddingIsTheMeanWhereNothingElseIsSaid() {
    try (TextEncoder model =
        TextEncoder.load(Golden.path("models/bert-model"), LoadOptions.defaults())) {
      TokenizedText text = model.tokenize("The blue one is cheaper.");
      float[] hidden = model.hidden(List.of(text), null, false).get(0);
      float[] mean = new float[32];
      for (int i = 0; i < hidden.length; i++) {
        mean[i % 32] += hidden[i] / text.length();
      }
      assertThat(model.embed(List.of("No.", "The blue one is cheaper.")).get(1))
          .containsExactly(mean, within(1e-5f));
    }
  }
}
