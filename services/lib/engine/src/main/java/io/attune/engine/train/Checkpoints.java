package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.Manifest;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Folders {@code checkpoint-N} of a run: all that is needed to go on after step N as if nothing had
 * happened. Each appears whole or not at all, with digests of its files.
 */
final class Checkpoints {
  private static final String STATE = "trainer_state.json";
  private static final String TENSORS = "training_state.safetensors";
  private static final String NUMBERS = "numbers";
  static final String PREFIX = "checkpoint-";

  private final Path folder;
  private final String fingerprint;
  private final Consumer<String> notices;

  /**
   * @param fingerprint what must be equal for a run to be the same run
   * @param notices takes what a person should know, such as a damaged checkpoint
   */
  Checkpoints(Path folder, String fingerprint, Consumer<String> notices) {
    this.folder = folder;
    this.fingerprint = fingerprint;
    this.notices = notices;
  }

  /**
   * Where a run stands.
   *
   * @param numbers of a loop's own, by name; finite
   */
  record State(
      int step,
      long numTokens,
      Selection.State selection,
      AlarmState alarms,
      Map<String, Double> numbers) {
    State {
      numbers = Map.copyOf(numbers);
    }

    State(int step, long numTokens) {
      this(step, numTokens, Selection.State.NONE, AlarmState.NONE, Map.of());
    }
  }

  void save(State state, Map<String, NDArray> tensors) {
    Path target = folder.resolve(PREFIX + state.step());
    AtomicFiles.deleteTree(target); // one that was found damaged when this run started
    AtomicFiles.writeFolder(
        target,
        temporary -> {
          List<TensorData> data = new ArrayList<>();
          tensors.forEach((name, array) -> data.add(TensorArrays.writeAsIs(name, array)));
          SafeTensorsWriter.write(temporary.resolve(TENSORS), data, SafeTensorsWriter.PYTORCH);
          ObjectNode json = JsonFiles.newObject();
          json.put("global_step", state.step());
          json.put("num_tokens", state.numTokens());
          state.selection().write(json);
          state.alarms().write(json);
          if (!state.numbers().isEmpty()) {
            new TreeMap<>(state.numbers()).forEach(json.putObject(NUMBERS)::put);
          }
          json.put("fingerprint", fingerprint);
          AtomicFiles.write(temporary.resolve(STATE), JsonFiles.pretty(json));
          Manifest.write(temporary);
        });
  }

  /** Deletes all but the newest of those up to {@code step}, and what these may end with. */
  void prune(int step, int keep) {
    // Later ones are damaged leftovers of a run that was taken up before them; none is in the way.
    List<Path> all = newestFirst().stream().filter(path -> step(path) <= step).toList();
    List<Path> kept = all.subList(0, Math.min(keep, all.size()));
    Set<Path> best = kept.stream().map(this::best).collect(Collectors.toSet());
    for (Path old : all.subList(kept.size(), all.size())) {
      if (!best.contains(old)) {
        AtomicFiles.deleteTree(old);
      }
    }
  }

  /** The checkpoint that a run from {@code checkpoint} on may end with; itself if there is none. */
  private Path best(Path checkpoint) {
    Path file = checkpoint.resolve(STATE);
    if (!Files.isRegularFile(file)) {
      return checkpoint;
    }
    JsonNode best = JsonFiles.readObject(file, 1 << 20).path("best_model_checkpoint");
    return best.isTextual() && step(Path.of(best.textValue())) > 0
        ? folder.resolve(best.textValue())
        : checkpoint;
  }

  /** The newest checkpoint after at most {@code step} steps; null if there is none. */
  @Nullable Path newestUpTo(int step) {
    return newestFirst().stream().filter(path -> step(path) <= step).findFirst().orElse(null);
  }

  /**
   * Copies a checkpoint of another run, whatever its settings were, as one of this run: what was
   * learned and the optimizer's state, but not which evaluation was the best, nor what alarms
   * remember. Does nothing where this run has checkpoints of its own.
   */
  void adopt(Path from) {
    if (!newestFirst().isEmpty()) {
      return;
    }
    if (!Files.isDirectory(from) || step(from) == 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "'resume_from_checkpoint' is " + from + ", which is no folder checkpoint-N of a run");
    }
    Manifest.read(from).verify(from);
    AtomicFiles.writeFolder(
        folder.resolve(from.getFileName()),
        temporary -> {
          Files.copy(from.resolve(TENSORS), temporary.resolve(TENSORS));
          ObjectNode json = JsonFiles.readObject(from.resolve(STATE), 1 << 20);
          json.retain("global_step", "num_tokens");
          json.put("fingerprint", fingerprint);
          AtomicFiles.write(temporary.resolve(STATE), JsonFiles.pretty(json));
          Manifest.write(temporary);
        });
  }

  /** Restores the weights after a step that was kept. */
  void restoreBest(int step, Map<String, NDArray> tensors) {
    load(folder.resolve(PREFIX + step).resolve(TENSORS), tensors);
  }

  /**
   * Restores the newest whole checkpoint into {@code tensors}; at step 0 if there is none. A
   * damaged one is reported and passed over.
   */
  State restore(Map<String, NDArray> tensors) {
    AtomicFiles.deleteLeftovers(folder, PREFIX);
    for (Path path : newestFirst()) {
      if (isDamaged(path, path)) {
        continue;
      }
      ObjectNode json = JsonFiles.readObject(path.resolve(STATE), 1 << 20);
      Path best = best(path);
      if (!best.equals(path) && isDamaged(best, path)) {
        continue;
      }
      if (!json.path("fingerprint").asText().equals(fingerprint)) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            path
                + " belongs to a run with other settings or data; choose another output folder or"
                + " delete it");
      }
      JsonNode step = json.path("global_step");
      JsonNode read = json.path("num_tokens");
      if (!step.isInt()
          || step.intValue() != step(path)
          || !read.isIntegralNumber()
          || !read.canConvertToLong()
          || read.longValue() < 0) {
        throw new EngineException(
            Reason.CORRUPT,
            path.resolve(STATE)
                + " says global_step "
                + step
                + " and num_tokens "
                + read
                + ", which does not belong to this folder; delete the folder");
      }
      load(path.resolve(TENSORS), tensors);
      return new State(
          step.intValue(),
          read.longValue(),
          Selection.State.read(json, step.intValue(), path.resolve(STATE)),
          AlarmState.read(json, step.intValue(), path.resolve(STATE)),
          numbers(json, path.resolve(STATE)));
    }
    return new State(0, 0);
  }

  private static Map<String, Double> numbers(ObjectNode state, Path where) {
    Map<String, Double> numbers = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : state.path(NUMBERS).properties()) {
      if (!entry.getValue().isNumber() || !Double.isFinite(entry.getValue().doubleValue())) {
        throw new EngineException(
            Reason.CORRUPT,
            where
                + " says "
                + entry.getValue()
                + " for '"
                + entry.getKey()
                + "', which is no number; delete the folder");
      }
      numbers.put(entry.getKey(), entry.getValue().doubleValue());
    }
    return numbers;
  }

  /** Whether files of {@code folder}, which a checkpoint needs, are not those of its manifest. */
  private boolean isDamaged(Path folder, Path checkpoint) {
    try {
      Manifest.read(folder).verify(folder);
      return false;
    } catch (EngineException e) {
      notices.accept(checkpoint + " is damaged (" + e.getMessage() + "); trying the one before it");
      return true;
    }
  }

  private static void load(Path file, Map<String, NDArray> tensors) {
    try (SafeTensors stored = SafeTensors.open(file);
        NDManager scope = Torch.scope("restore")) {
      tensors.forEach(
          (name, array) -> {
            long[] shape = stored.info(name).shape();
            if (!Arrays.equals(shape, array.getShape().getShape())) {
              throw new EngineException(
                  Reason.CORRUPT,
                  file
                      + ": tensor '"
                      + name
                      + "' has shape "
                      + Arrays.toString(shape)
                      + "; this run asks for "
                      + array.getShape()
                      + "; delete the folder");
            }
            if (stored.info(name).type() != TensorArrays.type(array)) {
              throw new EngineException(
                  Reason.CORRUPT,
                  file
                      + ": tensor '"
                      + name
                      + "' has type "
                      + stored.info(name).type()
                      + "; this run asks for "
                      + TensorArrays.type(array)
                      + "; delete the folder");
            }
            Torch.copy(TensorArrays.readAsIs(stored, name, scope), array);
          });
    }
  }

  private List<Path> newestFirst() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> list = Files.list(folder)) {
      return list.filter(path -> step(path) > 0)
          .sorted(Comparator.comparingInt(Checkpoints::step).reversed())
          .toList();
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + folder + ": " + e, e);
    }
  }

  private static int step(Path path) {
    String name = path.getFileName().toString();
    return name.matches(PREFIX + "[0-9]{1,9}")
        ? Integer.parseInt(name.substring(PREFIX.length()))
        : 0;
  }
}
