package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A model of every family and an adapter of every kind through the commands, of two seeds: logits
 * and loss, logits with the adapter beside the weights and in them, greedy ids.
 */
class ReferenceSetTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final Path SECOND = GOLDEN.resolve("seed2");
  private static final List<String> DECODERS =
      List.of("gpt2", "llama", "llama-rope3", "mistral", "qwen2", "qwen3", "gemma2");
  private static final List<String> ENCODERS = List.of("bert-classifier", "roberta-classifier");
  private static final List<String> ENCODER_DECODERS = List.of("t5", "bart");
  private static final List<String> MERGEABLE =
      List.of("lora", "lora-all-rslora", "lora-patterns", "dora", "ia3", "vera");
  private static final List<String> PROMPTS = List.of("prompt-tuning", "prefix-tuning", "p-tuning");

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  static Stream<Path> decoders() {
    return ofBoth("models", DECODERS);
  }

  static Stream<Path> encodersAndEncoderDecoders() {
    return Stream.concat(ofBoth("models", ENCODERS), ofBoth("models", ENCODER_DECODERS));
  }

  static Stream<Path> adapters() {
    return Stream.concat(ofBoth("adapters", MERGEABLE), ofBoth("adapters", PROMPTS));
  }

  static Stream<Path> mergeableAdapters() {
    return ofBoth("adapters", MERGEABLE);
  }

  static Stream<Path> decodersOfWords() {
    return named(SECOND, "models", DECODERS);
  }

  static Stream<Path> encoderDecodersOfWords() {
    return named(SECOND, "models", ENCODER_DECODERS);
  }

  static Stream<Path> adaptersOfWords() {
    return Stream.concat(named(SECOND, "adapters", MERGEABLE), named(SECOND, "adapters", PROMPTS));
  }

  private static Stream<Path> ofBoth(String kind, List<String> names) {
    return Stream.concat(named(GOLDEN, kind, names), named(SECOND, kind, names));
  }

  private static Stream<Path> named(Path set, String kind, List<String> names) {
    return names.stream().map(name -> set.resolve(kind).resolve(name));
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void logitsAndLossOfDecodersAreTheReferences(Path model) throws Exception {
    JsonNode expected = expected(model);
    assertAgree(logits(model, model), model, "logits", expected.get("attention_mask"));
    ReferenceLogits.assertLoss(folder.resolve("o.safetensors"), expected);
  }

  /** Logits of a text, or of each label that the decoder is to write: none of padding. */
  @ParameterizedTest
  @MethodSource("encodersAndEncoderDecoders")
  void logitsAndLossOfOthersAreTheReferences(Path model) throws Exception {
    assertAgree(logits(model, model), model, "logits", null);
    ReferenceLogits.assertLoss(folder.resolve("o.safetensors"), expected(model));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void logitsWithAnAdapterAreTheReferences(Path adapter) throws Exception {
    JsonNode expected = expected(adapter);
    Path result = logits(base(expected), adapter, "--adapter", adapter.toString());
    assertAgree(result, adapter, "logits", expected.get("attention_mask"));
  }

  @ParameterizedTest
  @MethodSource("mergeableAdapters")
  void logitsWithAMergedAdapterAreTheReferences(Path adapter) throws Exception {
    JsonNode expected = expected(adapter);
    Path result = logits(base(expected), adapter, "--merged", "--adapter", adapter.toString());
    assertAgree(result, adapter, "merged_logits", expected.get("attention_mask"));
  }

  @ParameterizedTest
  @MethodSource("decodersOfWords")
  void greedyIdsOfDecodersAreTheReferences(Path model) throws Exception {
    JsonNode expected = expected(model);
    List<Integer> prompt = unpadded(expected, 0);
    List<Integer> text = ids(expected.get("greedy"));
    assertThat(text.subList(0, prompt.size())).isEqualTo(prompt);
    List<Integer> continuation = text.subList(prompt.size(), text.size());
    assertThat(greedy(model, prompt, continuation.size())).isEqualTo(untilEnd(continuation));
  }

  @ParameterizedTest
  @MethodSource("encoderDecodersOfWords")
  void greedyIdsOfEncoderDecodersAreTheReferences(Path model) throws Exception {
    JsonNode expected = expected(model);
    for (int row = 0; row < expected.get("greedy").size(); row++) {
      List<Integer> text = ids(expected.get("greedy").get(row));
      List<Integer> written = text.subList(1, text.size()); // after the id that starts a text
      assertThat(greedy(model, unpadded(expected, row), written.size()))
          .isEqualTo(untilEnd(written));
    }
  }

  @ParameterizedTest
  @MethodSource("adaptersOfWords")
  void greedyIdsWithAnAdapterAreTheReferences(Path adapter) throws Exception {
    JsonNode expected = expected(adapter);
    for (int row = 0; row < expected.get("greedy").size(); row++) {
      List<Integer> text = ids(expected.get("greedy").get(row));
      assertThat(
              greedy(base(expected), unpadded(expected, row), 10, "--adapter", adapter.toString()))
          .isEqualTo(text);
    }
  }

  private static void assertAgree(Path result, Path reference, String tensor, JsonNode mask) {
    ReferenceLogits.assertAgree(result, reference.resolve("expected.safetensors"), tensor, mask);
  }

  private static JsonNode expected(Path reference) throws IOException {
    return new ObjectMapper().readTree(reference.resolve("expected.json").toFile());
  }

  private static Path base(JsonNode expected) {
    return GOLDEN.resolve(expected.get("base").asText());
  }

  private Path logits(Path model, Path reference, String... more) {
    Path result = folder.resolve("o.safetensors");
    List<String> arguments = new ArrayList<>(List.of("logits", "--model", model.toString()));
    arguments.addAll(List.of("--input", reference.resolve("expected.json").toString()));
    arguments.addAll(List.of("--out", result.toString()));
    arguments.addAll(List.of(more));
    run(arguments);
    return result;
  }

  /** The ids that a prompt of words is continued with: the first thing on each line of a token. */
  private List<Integer> greedy(Path model, List<Integer> prompt, int tokens, String... more) {
    captured.reset();
    List<String> arguments = new ArrayList<>(List.of("generate", "--model", model.toString()));
    arguments.addAll(List.of("--prompt", words(prompt), "--raw", "--greedy", "--logprobs", "0"));
    arguments.addAll(List.of("--max-new-tokens", Integer.toString(tokens)));
    arguments.addAll(List.of(more));
    run(arguments);
    return captured
        .output()
        .lines()
        .filter(line -> !line.isEmpty())
        .map(line -> Integer.valueOf(line.substring(0, line.indexOf(' '))))
        .toList();
  }

  private void run(List<String> arguments) {
    int status = Attune.execute(arguments.toArray(String[]::new));
    assertThat(status).as(captured.errors()).isZero();
  }

  /** As the second seed's tokenizers name their ids. */
  private static String words(List<Integer> ids) {
    return ids.stream().map(id -> "t" + id).collect(Collectors.joining(" "));
  }

  private static List<Integer> unpadded(JsonNode expected, int row) {
    List<Integer> ids = ids(expected.get("input_ids").get(row));
    List<Integer> mask = ids(expected.get("attention_mask").get(row));
    return IntStream.range(0, ids.size()).filter(i -> mask.get(i) == 1).mapToObj(ids::get).toList();
  }

  private static List<Integer> ids(JsonNode array) {
    List<Integer> ids = new ArrayList<>();
    array.forEach(id -> ids.add(id.asInt()));
    return ids;
  }

  /** The reference went on after an end of the text, or padded. */
  private static List<Integer> untilEnd(List<Integer> ids) {
    int end = ids.indexOf(2);
    return end < 0 ? ids : ids.subList(0, end + 1);
  }
}
