package io.attune.engine;

import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.HeadLayer;
import java.util.Arrays;
import java.util.List;

/**
 * What an encoder is for with an adapter: the task that its {@code task_type} says, and the labels
 * of the head that it brings, if it brings one.
 */
record AdaptedHead(EncoderTask task, ClassLabels labels) {

  static AdaptedHead of(AdapterFiles files, EncoderModel model) {
    String type = files.config().path("task_type").asText("");
    EncoderTask task =
        Arrays.stream(EncoderTask.values())
            .filter(known -> known.name().equals(type))
            .findAny()
            .orElse(model.task());
    List<HeadLayer> head = model.with(task, model.labels()).head();
    if (task == EncoderTask.FEATURE_EXTRACTION) {
      return new AdaptedHead(task, model.labels());
    }
    String last = AdapterFiles.PREFIX + head.get(head.size() - 1).linear().weight();
    try (TensorReader weights = files.openWeights()) {
      return new AdaptedHead(
          task,
          weights.has(last)
              ? labels(files, model, Math.toIntExact(weights.info(last).shape()[0]))
              : model.labels());
    }
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
