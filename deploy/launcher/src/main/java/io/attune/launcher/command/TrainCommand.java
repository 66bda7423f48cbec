package io.attune.launcher.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.ProgressListener;
import io.attune.engine.TrainingResult;
import io.attune.engine.TrainingRun;
import io.attune.engine.TrainingSpec;
import io.attune.launcher.display.Display;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code attune train}. */
@Command(
    name = "train",
    description = {
      "Trains an adapter or a model on a file of rows.",
      "Writes metrics.jsonl, checkpoints and the result to --out; the same command resumes there."
    },
    mixinStandardHelpOptions = true)
public final class TrainCommand implements Callable<Integer> {
  private static final int INTERRUPTED = 130;
  private static final String EVALUATION = "eval_";

  @Option(names = "--model", paramLabel = "DIR", required = true, description = "Base model.")
  private Path model;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = {
        "Rows, JSONL or a JSON array, in any usual form; for cpt also text, or a folder of texts."
      })
  private Path data;

  @Option(names = "--out", paramLabel = "DIR", required = true, description = "Gets the result.")
  private Path out;

  @Option(
      names = "--objective",
      required = true,
      paramLabel = "NAME",
      description = {
        "sft, cpt, dpo, orpo, simpo, kto, reward or classify. An encoder-decoder learns sft",
        "({prompt, completion} as source and target), an encoder classify",
        "({text, label}, {text, text_pair, label} or {tokens, labels}).",
        "ppo, grpo, rloo or reinforce++: a policy writes to {prompt} rows, has it",
        "scored (-p reward_model=DIR, reward_rule=EXPRESSION or reward_function=NAME)",
        "and learns from it."
      })
  private String objective;

  @Option(
      names = "--method",
      required = true,
      paramLabel = "NAME",
      description = {
        "Adapters: lora, qlora, dora, ia3, vera, bottleneck, prompt-tuning, prefix-tuning,",
        "p-tuning. The model's own weights: full, freeze, bitfit."
      })
  private String method;

  @Option(names = "--init-adapter", paramLabel = "DIR", description = "Adapter to train on from.")
  private Path initAdapter;

  @Option(
      names = "--eval-data",
      paramLabel = "FILE",
      description = "Held-out rows, measured after training; written to eval.json.")
  private Path evalData;

  @Option(
      names = "--config",
      paramLabel = "FILE.yaml",
      description = "Settings under Hugging Face's names, such as learning_rate: 1e-4.")
  private Path config;

  @Option(
      names = "-p",
      paramLabel = "KEY=VALUE",
      description = "A setting; wins over the one in --config. May be given again.")
  private List<String> settings = new ArrayList<>();

  @Override
  public Integer call() {
    Map<String, String> parameters = new LinkedHashMap<>();
    if (config != null) {
      parameters.putAll(readConfig());
    }
    settings.forEach(setting -> put(parameters, setting));
    TrainingSpec spec =
        new TrainingSpec(
            model, data, out, objective, method, initAdapter, evalData, null, parameters);
    Display display = Display.of(System.out);
    display.stage("training " + objective + " (" + method + ")");
    // Open until all is said: a heard signal ends the JVM when it closes.
    try (Interrupt interrupt = Interrupt.listen()) {
      return run(spec, display, interrupt);
    }
  }

  private static int run(TrainingSpec spec, Display display, Interrupt interrupt) {
    TrainingResult result;
    try {
      result = TrainingRun.run(spec, listener(display), interrupt::heard);
    } catch (EngineException e) {
      if (e.reason() != Reason.CANCELLED) {
        throw e;
      }
      display.note(e.getMessage() + "; the same command goes on from its newest checkpoint");
      return INTERRUPTED;
    }
    display.done("wrote " + result.folder());
    result
        .evaluation()
        .forEach((name, metrics) -> System.out.println("held-out rows, " + name + ": " + metrics));
    return 0;
  }

  private static ProgressListener listener(Display display) {
    return new ProgressListener() {
      @Override
      public void onStep(int step, int total, Map<String, Double> metrics) {
        display.step(step, total, shown(metrics));
        String evaluation = logged(metrics, EVALUATION);
        if (display.redraws() && !evaluation.isEmpty()) {
          display.note("after step " + step + ": " + evaluation);
        } else if (!display.redraws()) {
          System.out.println("step=" + step + " total=" + total + " " + logged(metrics, ""));
        }
      }

      @Override
      public void onNotice(String message) {
        display.note(message);
      }
    };
  }

  private static String shown(Map<String, Double> metrics) {
    return String.format(
        Locale.ROOT,
        "loss %.4f, lr %.2g, %.0f tokens/s, %.1f GiB",
        metrics.getOrDefault("loss", Double.NaN),
        metrics.getOrDefault("learning_rate", Double.NaN),
        metrics.getOrDefault("tokens_per_second", Double.NaN),
        metrics.getOrDefault("peak_memory_bytes", Double.NaN) / (1 << 30));
  }

  private static String logged(Map<String, Double> metrics, String prefix) {
    StringJoiner line = new StringJoiner(" ");
    metrics.forEach(
        (name, value) -> {
          if (name.startsWith(prefix)) {
            line.add(name + "=" + String.format(Locale.ROOT, "%.6g", value));
          }
        });
    return line.toString();
  }

  private void put(Map<String, String> parameters, String setting) {
    int equals = setting.indexOf('=');
    if (equals < 1) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "-p " + setting + " is not of the form key=value");
    }
    parameters.put(setting.substring(0, equals).strip(), setting.substring(equals + 1).strip());
  }

  private Map<String, String> readConfig() {
    YAMLMapper yaml =
        YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    try {
      JsonNode root = yaml.readTree(config.toFile());
      if (!root.isObject()) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT, config + " does not hold keys and values");
      }
      Map<String, String> parameters = new LinkedHashMap<>();
      root.properties().forEach(e -> parameters.put(e.getKey(), text(e.getKey(), e.getValue())));
      return parameters;
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, config + " is not valid YAML: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + config + ": " + e.getMessage(), e);
    }
  }

  /**
   * A value as {@code -p} would give it: a list becomes its items with commas between, keys and
   * values become JSON.
   */
  private String text(String key, JsonNode value) {
    if (value.isValueNode()) {
      return value.asText();
    }
    if (value.isObject()) {
      return value.toString();
    }
    StringJoiner items = new StringJoiner(",");
    for (JsonNode item : value) {
      if (!value.isArray() || !item.isValueNode()) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            config + ": '" + key + "' is neither a value, nor a list, nor keys and values");
      }
      items.add(item.asText());
    }
    return items.toString();
  }
}
