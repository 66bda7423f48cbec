package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Linear;
import java.util.List;

/** DistilBERT (Sanh et al., arXiv 1910.01108): BERT without segments and pooler. */
public final class DistilBert extends PostNormEncoder {
  private static final LayerNames NAMES =
      new LayerNames(
          "transformer.layer.",
          "attention.q_lin",
          "attention.k_lin",
          "attention.v_lin",
          "attention.out_lin",
          "sa_layer_norm",
          "ffn.lin1",
          "ffn.lin2",
          "output_layer_norm");

  private DistilBert(EncoderConfig config) {
    super(config, NAMES, "distilbert.");
  }

  static DistilBert parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    in.ignore(
        "output_past",
        "qa_dropout",
        "sinusoidal_pos_embds", // how the table of positions began; it is stored
        "tie_weights_",
        "tie_word_embeddings");
    Sizes sizes =
        new Sizes(
            in.size("dim", 768),
            in.size("n_layers", 6),
            in.size("n_heads", 12),
            in.size("hidden_dim", 3072),
            0);
    String activation = Activation.require(in.text("activation", "gelu"), where + ": 'activation'");
    double hidden = in.dropout("dropout", 0.1);
    double head = in.dropout("seq_classif_dropout", 0.2);
    // Nothing is dropped of what attention adds; tokens are classified with the general rate.
    Dropout dropout = new Dropout(hidden, 0, in.dropout("attention_dropout", 0.1), 0, head);
    return new DistilBert(
        config(in, "distilbert", "DistilBert", sizes, activation, 1e-12, dropout, 0));
  }

  @Override
  public List<HeadLayer> head() {
    int e = config().hiddenSize();
    Linear classifier = new Linear("classifier", e, labels().count(), true);
    return switch (task()) {
      case FEATURE_EXTRACTION -> List.of();
      case SEQ_CLS ->
          List.of(
              new HeadLayer(new Linear("pre_classifier", e, e, true), "relu", 0),
              new HeadLayer(classifier, null, dropout().head()));
      case TOKEN_CLS -> List.of(new HeadLayer(classifier, null, dropout().hidden()));
    };
  }

  @Override
  public DistilBert with(EncoderTask task, ClassLabels labels) {
    return new DistilBert(encoderConfig().with(task, labels));
  }

  @Override
  public DistilBert with(ClassifierPooling pooling) {
    return new DistilBert(encoderConfig().with(pooling));
  }

  @Override
  String classes() {
    return "DistilBert";
  }
}
