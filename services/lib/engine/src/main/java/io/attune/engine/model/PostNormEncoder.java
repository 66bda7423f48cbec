package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.LayerNorm;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What BERT and its descendants share: learnt absolute positions, and layers that normalise after
 * each residual sum. A family names the modules and the head.
 */
abstract class PostNormEncoder implements EncoderModel {
  private static final String EMBEDDINGS = "embeddings.";

  /**
   * A family's names for what is in a layer.
   *
   * @param stack what comes before a layer's index
   */
  record LayerNames(
      String stack,
      String query,
      String key,
      String value,
      String attentionOutput,
      String attentionNorm,
      String intermediate,
      String output,
      String outputNorm) {}

  /**
   * @param segments values of {@code token_type_ids}; 0 for a family that has none
   */
  record Sizes(int hidden, int layers, int heads, int intermediate, int segments) {}

  private final EncoderConfig config;
  private final LayerNames names;
  private final String familyPrefix;

  /**
   * @param familyPrefix what a model with a head puts before the encoder's names
   */
  PostNormEncoder(EncoderConfig config, LayerNames names, String familyPrefix) {
    this.config = config;
    this.names = names;
    this.familyPrefix = familyPrefix;
  }

  /**
   * Reads what all families have alike, and refuses what nobody has read by then.
   *
   * @param classes what the names of the family's classes in transformers begin with
   * @param padTokenId where the file says none
   */
  static EncoderConfig config(
      ConfigReader in,
      String modelType,
      String classes,
      Sizes sizes,
      String activation,
      double layerNormEps,
      Dropout dropout,
      int padTokenId) {
    if (sizes.hidden() % sizes.heads() != 0) {
      throw in.malformed("num_attention_heads", "does not divide the hidden size");
    }
    List<Integer> bos = in.ids("bos_token_id");
    ModelConfig model =
        new ModelConfig(
            modelType,
            in.size("vocab_size"),
            sizes.hidden(),
            sizes.layers(),
            in.size("max_position_embeddings", 512),
            false,
            in.number("initializer_range", 0.02),
            in.ids("eos_token_id"),
            bos.isEmpty() ? -1 : bos.get(0),
            in.integer("pad_token_id", padTokenId));
    EncoderConfig config =
        new EncoderConfig(
            model,
            sizes.intermediate(),
            sizes.heads(),
            activation,
            layerNormEps,
            sizes.segments(),
            dropout,
            task(in, classes),
            ClassLabels.read(in),
            pooling(in));
    in.finish();
    return config;
  }

  private static ClassifierPooling pooling(ConfigReader in) {
    String name = in.text(ClassifierPooling.KEY, ClassifierPooling.CLS.toString());
    return ClassifierPooling.named(name)
        .orElseThrow(
            () ->
                in.unsupported(
                    ClassifierPooling.KEY, name, "implemented are " + ClassifierPooling.all()));
  }

  /** Which head {@code architectures} names; that of pretraining is left out, as AutoModel does. */
  private static EncoderTask task(ConfigReader in, String classes) {
    List<String> architectures = in.list("architectures");
    String name = architectures.isEmpty() ? classes + "Model" : architectures.get(0);
    if (name.startsWith(classes)) {
      switch (name.substring(classes.length())) {
        case "Model", "ForMaskedLM", "ForPreTraining":
          return EncoderTask.FEATURE_EXTRACTION;
        case "ForSequenceClassification":
          return EncoderTask.SEQ_CLS;
        case "ForTokenClassification":
          return EncoderTask.TOKEN_CLS;
        default:
      }
    }
    throw in.unsupported(
        "architectures",
        name,
        "implemented are %1$sModel, %1$sForMaskedLM (without its head),".formatted(classes)
            + " %1$sForSequenceClassification and %1$sForTokenClassification".formatted(classes));
  }

  EncoderConfig encoderConfig() {
    return config;
  }

  Dropout dropout() {
    return config.dropout();
  }

  /** What the names of the family's classes in transformers begin with. */
  abstract String classes();

  @Override
  public String className() {
    return classes()
        + switch (task()) {
          case FEATURE_EXTRACTION -> "Model";
          case SEQ_CLS -> "ForSequenceClassification";
          case TOKEN_CLS -> "ForTokenClassification";
        };
  }

  @Override
  public double attentionDropout() {
    return dropout().attention();
  }

  @Override
  public Initial initial(String name) {
    Initial usual = EncoderModel.super.initial(name);
    return name.equals(embedding().weight())
        ? usual.withZeroRow(config.model().padTokenId())
        : usual;
  }

  @Override
  public ModelConfig config() {
    return config.model();
  }

  @Override
  public EncoderTask task() {
    return config.task();
  }

  @Override
  public ClassLabels labels() {
    return config.labels();
  }

  @Override
  public ClassifierPooling pooling() {
    return config.pooling();
  }

  @Override
  public int segments() {
    return Math.max(1, config.segments());
  }

  /** The encoder alone is the whole model, and its names begin with nothing. */
  @Override
  public String prefix() {
    return config.task() == EncoderTask.FEATURE_EXTRACTION ? "" : familyPrefix;
  }

  /**
   * Checkpoints of the other kind, with or without a head, and those converted from TensorFlow, in
   * which norms have a gamma and a beta.
   */
  @Override
  public List<String> aliases(String name) {
    List<String> result = new ArrayList<>();
    String prefixed = name.startsWith(familyPrefix) ? name : familyPrefix + name;
    String bare = prefixed.substring(familyPrefix.length());
    for (String each : List.of(prefixed, bare)) {
      result.add(each);
      if (each.endsWith("LayerNorm.weight")) {
        result.add(each.replace("LayerNorm.weight", "LayerNorm.gamma"));
      } else if (each.endsWith("LayerNorm.bias")) {
        result.add(each.replace("LayerNorm.bias", "LayerNorm.beta"));
      }
    }
    return result;
  }

  @Override
  public Attention.Heads heads() {
    int heads = config.attentionHeads();
    int size = config.model().hiddenSize() / heads;
    return new Attention.Heads(heads, heads, size, 1 / Math.sqrt(size));
  }

  @Override
  public Embedding embedding() {
    return new Embedding(
        prefix() + EMBEDDINGS + "word_embeddings",
        config.model().vocabSize(),
        config.model().hiddenSize());
  }

  @Override
  public Map<String, Shape> parameters() {
    int e = config.model().hiddenSize();
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(embedding().weight(), embedding().shape());
    shapes.put(positionTable(), new Shape(config.model().maxPositions(), e));
    if (config.segments() > 0) {
      shapes.put(segmentTable(), new Shape(config.segments(), e));
    }
    putNorm(shapes, prefix() + EMBEDDINGS + "LayerNorm");
    for (int i = 0; i < layers(); i++) {
      layerLinears(i).forEach(linear -> putLinear(shapes, linear));
      putNorm(shapes, name(i, names.attentionNorm()));
      putNorm(shapes, name(i, names.outputNorm()));
    }
    head().forEach(layer -> putLinear(shapes, layer.linear()));
    return shapes;
  }

  private static void putLinear(Map<String, Shape> shapes, Linear linear) {
    shapes.put(linear.weight(), linear.shape());
    shapes.put(linear.biasName(), new Shape(linear.outputs()));
  }

  private void putNorm(Map<String, Shape> shapes, String module) {
    shapes.put(module + ".weight", new Shape(config.model().hiddenSize()));
    shapes.put(module + ".bias", new Shape(config.model().hiddenSize()));
  }

  /** A pooler that no head needs: checkpoints that were not trained with one leave it out. */
  @Override
  public Set<String> optionalParameters() {
    Set<String> names = new HashSet<>();
    if (config.task() == EncoderTask.FEATURE_EXTRACTION) {
      head()
          .forEach(
              layer -> names.addAll(List.of(layer.linear().weight(), layer.linear().biasName())));
    }
    return names;
  }

  /** Those of the layers and of the head. */
  @Override
  public List<Linear> linears() {
    List<Linear> all = new ArrayList<>();
    for (int i = 0; i < layers(); i++) {
      all.addAll(layerLinears(i));
    }
    head().forEach(layer -> all.add(layer.linear()));
    return all;
  }

  @Override
  public List<Sublayer> sublayers() {
    return parts().all();
  }

  private Sublayers parts() {
    return new Sublayers(prefix() + names.stack(), layers(), config.model().hiddenSize());
  }

  @Override
  public List<String> inputs() {
    return config.segments() > 0 ? List.of("segments") : List.of();
  }

  @Override
  public List<String> state() {
    return List.of();
  }

  @Override
  public void embed(MethodWriter out, Seams seams) {
    String sum = seams.projection().embedding(out, "ids", embedding());
    if (config.segments() > 0) {
      String segment = out.value("torch.embedding(%s, segments)", out.weight(segmentTable()));
      sum = out.value("torch.add(%s, %s)", sum, segment);
    }
    String position = out.value("torch.embedding(%s, positions)", out.weight(positionTable()));
    sum = out.value("torch.add(%s, %s)", sum, position);
    String normed = norm(out, sum, prefix() + EMBEDDINGS + "LayerNorm");
    out.line("h = %s", seams.drop(out, normed, dropout().hidden()));
  }

  @Override
  public void layer(MethodWriter out, int i, Seams seams) {
    Projection projection = seams.projection();
    List<Linear> linears = layerLinears(i);
    Attention.Heads heads = heads();
    List<String> qkv = projection.emit(out, "h", linears.subList(0, 3)); // [N, E] x 3
    List<String> views = new ArrayList<>();
    for (String each : qkv) {
      views.add(out.value("torch.view(%s, [-1, %d, %d])", each, heads.queries(), heads.size()));
    }
    String a =
        seams
            .attention()
            .emit(
                out,
                Attention.Form.bidirectional(heads, i),
                views.get(0),
                views.get(1),
                views.get(2));
    String o = projection.emit(out, a, linears.subList(3, 4)).get(0); // [N, E]
    o = seams.drop(out, o, dropout().attentionOutput());
    String attentionNorm = name(i, names.attentionNorm());
    String middle =
        seams
            .residual()
            .emit(out, parts().selfAttention(i), "h", o, sum -> norm(out, sum, attentionNorm));
    String f = projection.emit(out, middle, linears.subList(4, 5)).get(0); // [N, F]
    f = Activation.emit(out, config.activation(), f);
    String down = projection.emit(out, f, linears.subList(5, 6)).get(0); // [N, E]
    down = seams.drop(out, down, dropout().hidden());
    String outputNorm = name(i, names.outputNorm());
    String h =
        seams
            .residual()
            .emit(out, parts().feedForward(i), middle, down, sum -> norm(out, sum, outputNorm));
    out.line("h = %s", h);
  }

  /** Nothing follows the last layer's norm. */
  @Override
  public void finish(MethodWriter out, Seams seams) {}

  private String norm(MethodWriter out, String x, String module) {
    return LayerNorm.emit(out, x, module, config.model().hiddenSize(), config.layerNormEps());
  }

  private List<Linear> layerLinears(int i) {
    int e = config.model().hiddenSize();
    int f = config.intermediateSize();
    return List.of(
        new Linear(name(i, names.query()), e, e, true),
        new Linear(name(i, names.key()), e, e, true),
        new Linear(name(i, names.value()), e, e, true),
        new Linear(name(i, names.attentionOutput()), e, e, true),
        new Linear(name(i, names.intermediate()), e, f, true),
        new Linear(name(i, names.output()), f, e, true));
  }

  String positionTable() {
    return prefix() + EMBEDDINGS + "position_embeddings.weight";
  }

  private String segmentTable() {
    return prefix() + EMBEDDINGS + "token_type_embeddings.weight";
  }

  private String name(int layer, String rest) {
    return prefix() + names.stack() + layer + "." + rest;
  }
}
