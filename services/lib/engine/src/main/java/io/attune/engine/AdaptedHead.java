package io.attune.engine;

import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.ClassifierPooling;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.HeadLayer;
import java.util.Arrays;
import java.util.List;

/**
 * What an encoder is for with an adapter: the task that its {@code task_type} says, and the labels
 * of the head that it brings and what that reads, if it brings one.
 */
record AdaptedHead(EncoderTask task, ClassLabels labels, ClassifierPooling pooling) {

  static AdaptedHead of(AdapterFiles files, EncoderModel model) {
    String type = files.config().path("task_type").asText("");
    EncoderTask task =
        Arrays.stream(EncoderTask.values())
            .filter(known -> known.name().equals(type))
            .findAny()
            .orElse(model.task());
    List<HeadLayer> head = model.with(task, model.labels()).head();
    if (task == EncoderTask.FEATURE_EXTRACTION) {
      return new AdaptedHead(task, model.labels(), model.pooling());
    }
    String last = AdapterFiles.PREFIX + head.get(head.size() - 1).linear().weight();
    try (TensorReader weights = files.openWeights()) {
      return new AdaptedHead(
          task,
          weights.has(last)
              ? labels(files, model, Math.toIntExact(weights.info(last).shape()[0]))
              : model.labels(),
          pooling(files, model));
    }
  }

  private static ClassifierPooling pooling(AdapterFiles files, EncoderModel model) {
    var attune = files.attune();
    if (attune.isEmpty() || !attune.get().has(ClassifierPooling.KEY)) {
      return model.pooling();
    }
    String name = attune.get().get(ClassifierPooling.KEY).asText();
    return ClassifierPooling.named(name)
        .orElseThrow(
            () ->
                new EngineException(
                    EngineException.Reason.UNSUPPORTED,
                    files.folder().resolve(AdapterFiles.ATTUNE)
                        + ": '"
                        + ClassifierPooling.KEY
                        + "' is "
                        + name
                        + "; implemented are "
                        + ClassifierPooling.all()));
  }

  /** The model that the adapter was made for. */
  EncoderModel of(EncoderModel model) {
    return model.with(task, labels).with(pooling);
  }

  /** PEFT keeps no names of labels; those that training wrote beside the adapter count. */
  private static ClassLabels labels(AdapterFiles files, EncoderModel model, int count) {
    var attune = files.attune();
    if (attune.isPresent() && attune.get().has("id2label")) {
      String where = files.folder().resolve(AdapterFiles.ATTUNE).toString();
      ClassLabels written = ClassLabels.of(attune.get(), where);
      if (written.count() == count) {
        return written;
      }
    }
    return count == model.labels().count() ? model.labels() : ClassLabels.unnamed(count);
  }
}
