package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Which files of a model are taken: weights as safetensors, JSON, tokenizers and templates; never
 * what could carry code.
 *
 * @param taken in the order of the hub
 * @param leftOut names by what they are
 */
record FileChoice(List<HubFile> taken, Map<String, List<String>> leftOut) {
  /** More than any tokenizer or configuration has. */
  private static final long MAX_SMALL_BYTES = 128L << 20;

  private static final Pattern PICKLE =
      Pattern.compile(".*\\.(bin|pt|pth|ckpt|pkl|pickle|npy|npz)");
  private static final Pattern CODE = Pattern.compile(".*\\.(py|pyc|so|sh|ipynb|dll|exe|jar)");
  private static final Pattern OTHER_WEIGHTS =
      Pattern.compile(".*\\.(onnx|onnx_data|gguf|ggml|h5|msgpack|ot|tflite|mlmodel|safetensors)");

  /** Tokenizers besides tokenizer.json, and chat templates. */
  private static final Set<String> TEXTS =
      Set.of(
          "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model");

  /** Where sentence-transformers keeps a module, such as 1_Pooling/config.json. */
  private static final Pattern MODULE = Pattern.compile("[0-9]+_[A-Za-z]+/[^/]+");

  /** Templates beside the default one. */
  private static final Pattern TEMPLATE =
      Pattern.compile("([^/]+|additional_chat_templates/[^/]+)\\.jinja");

  static FileChoice of(ModelId model, List<HubFile> files) {
    List<HubFile> taken = new ArrayList<>();
    Map<String, List<String>> leftOut = new TreeMap<>();
    boolean named = files.stream().anyMatch(FileChoice::isStandardWeights);
    for (HubFile file : files) {
      if (isTaken(file, named)) {
        taken.add(file);
      } else if (!file.path().startsWith(".")) {
        leftOut.computeIfAbsent(kind(file.path()), kind -> new ArrayList<>()).add(file.path());
      }
    }
    if (taken.stream().noneMatch(HubFile::isWeights)) {
      throw new LauncherException(
          model
              + " has no weights as safetensors"
              + (leftOut.containsKey("pickles, which can carry code")
                  ? ", only as pickles, which can carry code; convert it first"
                  : "; the hub lists " + files.size() + " files without any"));
    }
    for (HubFile file : taken) {
      if (!file.isWeights() && file.size() > MAX_SMALL_BYTES) {
        throw new LauncherException(
            file.path() + " of " + model + " has " + file.size() + " bytes, which cannot be right");
      }
    }
    return new FileChoice(List.copyOf(taken), leftOut);
  }

  /** Weights by the names that are loaded; beside them, others are the same in another form. */
  private static boolean isStandardWeights(HubFile file) {
    return file.path().matches("(model|adapter_model)(-[0-9]+-of-[0-9]+)?\\.safetensors");
  }

  private static boolean isTaken(HubFile file, boolean named) {
    String path = file.path();
    boolean top = path.indexOf('/') < 0;
    if (path.startsWith(".")) {
      return false;
    }
    if (file.isWeights()) {
      return isStandardWeights(file) || MODULE.matcher(path).matches() || (top && !named);
    }
    if (path.endsWith(".json")) {
      return top || MODULE.matcher(path).matches();
    }
    return TEXTS.contains(path) || TEMPLATE.matcher(path).matches();
  }

  private static String kind(String path) {
    if (PICKLE.matcher(path).matches()) {
      return "pickles, which can carry code";
    }
    if (CODE.matcher(path).matches()) {
      return "code";
    }
    return OTHER_WEIGHTS.matcher(path).matches() ? "weights in another form" : "other files";
  }

  /** Bytes of what is taken. */
  long bytes() {
    return taken.stream().mapToLong(HubFile::size).sum();
  }

  /** What was left out, a line to each kind. */
  List<String> notes() {
    List<String> notes = new ArrayList<>();
    leftOut.forEach(
        (kind, names) -> {
          List<String> shown = names.subList(0, Math.min(5, names.size()));
          String more =
              names.size() > shown.size() ? " and " + (names.size() - shown.size()) + " more" : "";
          notes.add("left out " + kind + ": " + String.join(", ", shown) + more);
        });
    return notes;
  }
}
