package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Linear;
import java.util.List;

/**
 * RoBERTa (Liu et al., arXiv 1907.11692): BERT's layers; positions are counted from the padding
 * token's id up, and the classifier has a hidden layer of its own.
 */
public final class Roberta extends PostNormEncoder {
  private final int padTokenId;

  private Roberta(EncoderConfig config) {
    super(config, Bert.NAMES, "roberta.");
    this.padTokenId = config.model().padTokenId();
  }

  static Roberta parse(JsonNode json, String where) {
    return new Roberta(Bert.parse(json, where, "roberta", "Roberta", 1));
  }

  @Override
  public int maxTokens() {
    return config().maxPositions() - padTokenId - 1;
  }

  /** Padding inside a text has the padding's position and does not count. */
  @Override
  public int[] positions(int[] ids) {
    int[] positions = new int[ids.length];
    int last = padTokenId;
    for (int i = 0; i < ids.length; i++) {
      positions[i] = ids[i] == padTokenId ? padTokenId : ++last;
    }
    return positions;
  }

  @Override
  public List<HeadLayer> head() {
    int e = config().hiddenSize();
    int labels = labels().count();
    double drop = dropout().head();
    return switch (task()) {
      case FEATURE_EXTRACTION ->
          List.of(new HeadLayer(new Linear(prefix() + "pooler.dense", e, e, true), "tanh", 0));
      case SEQ_CLS ->
          List.of(
              new HeadLayer(new Linear("classifier.dense", e, e, true), "tanh", drop),
              new HeadLayer(new Linear("classifier.out_proj", e, labels, true), null, drop));
      case TOKEN_CLS ->
          List.of(new HeadLayer(new Linear("classifier", e, labels, true), null, drop));
    };
  }

  @Override
  public Roberta with(EncoderTask task, ClassLabels labels) {
    return new Roberta(encoderConfig().with(task, labels));
  }

  @Override
  public Roberta with(ClassifierPooling pooling) {
    return new Roberta(encoderConfig().with(pooling));
  }

  /** Padding has no position of its own. */
  @Override
  public Initial initial(String name) {
    Initial usual = super.initial(name);
    return name.equals(positionTable()) ? usual.withZeroRow(padTokenId) : usual;
  }

  @Override
  String classes() {
    return "Roberta";
  }
}
