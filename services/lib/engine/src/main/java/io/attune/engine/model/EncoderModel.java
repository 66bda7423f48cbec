package io.attune.engine.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** An encoder-only model: one bidirectional stack, and perhaps a head that classifies. */
public interface EncoderModel extends Architecture, Stack {
  String KIND = "a text encoder";

  @Override
  default String kind() {
    return KIND;
  }

  /** What the head is for. */
  EncoderTask task();

  /** The head's labels; without names where the model has no head. */
  ClassLabels labels();

  /**
   * The head, first layer first: it reads every token's hidden state for {@link
   * EncoderTask#TOKEN_CLS}, what {@link #pooling} says for {@link EncoderTask#SEQ_CLS}. For {@link
   * EncoderTask#FEATURE_EXTRACTION} the pooler, which reads each text's first token, if the family
   * has one; a checkpoint may lack it.
   */
  List<HeadLayer> head();

  /**
   * The same encoder for another task, or with other labels: what a checkpoint of it becomes when
   * an adapter brings the head, or when it is trained for a task.
   */
  EncoderModel with(EncoderTask task, ClassLabels labels);

  /** What the head of a text classifier reads. */
  ClassifierPooling pooling();

  /** The same encoder, its head reading something else. */
  EncoderModel with(ClassifierPooling pooling);

  /** Writes what a file has to say of the head into {@code config.json} or beside an adapter. */
  default void describeHead(ObjectNode json) {
    labels().write(json);
    json.remove(ClassifierPooling.KEY);
    if (pooling() != ClassifierPooling.CLS) {
      json.put(ClassifierPooling.KEY, pooling().toString());
    }
  }

  /** As {@link #with(EncoderTask, ClassLabels)}; other labels than the model has get no names. */
  default EncoderModel with(EncoderTask task, int labels) {
    return with(task, labels == labels().count() ? labels() : ClassLabels.unnamed(labels));
  }

  /** Name of the model's class in transformers: what {@code architectures} says. */
  String className();

  /** The probability with which weights of attention are dropped while the model is trained. */
  double attentionDropout();

  /**
   * How many values a token's segment ({@code token_type_ids}) may have; 1 where it says nothing.
   */
  int segments();

  /** Tokens of the longest text that there are positions for. */
  default int maxTokens() {
    return config().maxPositions();
  }

  /** The position of each token of a text, as rows of the position table. */
  default int[] positions(int[] ids) {
    int[] positions = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i;
    }
    return positions;
  }

  @Override
  default int layers() {
    return config().layers();
  }
}
