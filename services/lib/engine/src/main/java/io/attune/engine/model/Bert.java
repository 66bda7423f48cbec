package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Linear;
import java.util.List;

/**
 * BERT (Devlin et al., arXiv 1810.04805). Texts are classified by way of a pooler: tanh of a linear
 * layer over the first token.
 */
public final class Bert extends PostNormEncoder {
  static final LayerNames NAMES =
      new LayerNames(
          "encoder.layer.",
          "attention.self.query",
          "attention.self.key",
          "attention.self.value",
          "attention.output.dense",
          "attention.output.LayerNorm",
          "intermediate.dense",
          "output.dense",
          "output.LayerNorm");

  private Bert(EncoderConfig config) {
    super(config, NAMES, "bert.");
  }

  static Bert parse(JsonNode json, String where) {
    return new Bert(parse(json, where, "bert", "Bert", 0));
  }

  /**
   * Reads what BERT and RoBERTa have alike.
   *
   * @param classes what the names of the family's classes in transformers begin with
   * @param padTokenId where the file says none
   */
  static EncoderConfig parse(
      JsonNode json, String where, String modelType, String classes, int padTokenId) {
    ConfigReader in = new ConfigReader(json, where);
    in.only("position_embedding_type", "absolute", "absolute");
    in.only("is_decoder", "false", "false");
    in.ignore(
        "directionality",
        "gradient_checkpointing",
        "output_past",
        "pooler_fc_size",
        "pooler_num_attention_heads",
        "pooler_num_fc_layers",
        "pooler_size_per_head",
        "tie_word_embeddings");
    in.only("pooler_type", "first_token_transform", "first_token_transform");
    return PostNormEncoder.config(
        in,
        modelType,
        classes,
        new Sizes(
            in.size("hidden_size"),
            in.size("num_hidden_layers"),
            in.size("num_attention_heads"),
            in.size("intermediate_size"),
            in.size("type_vocab_size", 2)),
        Activation.require(in.text("hidden_act", "gelu"), where + ": 'hidden_act'"),
        in.number("layer_norm_eps", 1e-12),
        dropout(in),
        padTokenId);
  }

  private static Dropout dropout(ConfigReader in) {
    double hidden = in.dropout("hidden_dropout_prob", 0.1);
    double attention = in.dropout("attention_probs_dropout_prob", 0.1);
    return new Dropout(hidden, hidden, attention, 0, in.dropout("classifier_dropout", hidden));
  }

  @Override
  public List<HeadLayer> head() {
    int e = config().hiddenSize();
    HeadLayer pooler = new HeadLayer(new Linear(prefix() + "pooler.dense", e, e, true), "tanh", 0);
    Linear labelled = new Linear("classifier", e, labels().count(), true);
    HeadLayer classifier = new HeadLayer(labelled, null, dropout().head());
    return switch (task()) {
      case FEATURE_EXTRACTION -> List.of(pooler);
      case SEQ_CLS -> List.of(pooler, classifier);
      case TOKEN_CLS -> List.of(classifier);
    };
  }

  @Override
  public Bert with(EncoderTask task, ClassLabels labels) {
    return new Bert(encoderConfig().with(task, labels));
  }

  @Override
  public Bert with(ClassifierPooling pooling) {
    return new Bert(encoderConfig().with(pooling));
  }

  @Override
  String classes() {
    return "Bert";
  }
}
