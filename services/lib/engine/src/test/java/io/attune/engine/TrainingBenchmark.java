package io.attune.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Our side of a training benchmark; one JSON line at the end, medians after two warm-up steps.
 *
 * <p>Arguments: model folder, rows, objective, optimizer steps, batch, max_length, threads, then
 * further parameters as {@code key=value} ({@code method} among them). Rank 16 on all linear
 * layers, as peer_train.py of the reference side has it.
 */
final class TrainingBenchmark {
  private TrainingBenchmark() {}

  public static void main(String[] args) throws Exception {
    Path out = Files.createTempDirectory("benchmark");
    Map<String, String> parameters = new HashMap<>();
    parameters.put("max_steps", args[3]);
    parameters.put("per_device_train_batch_size", args[4]);
    parameters.put("max_length", args[5]);
    parameters.put("threads", args[6]);
    parameters.put("learning_rate", "1e-4");
    parameters.put("r", "16");
    parameters.put("lora_alpha", "32");
    parameters.put("shuffle", "false");
    parameters.put("save_steps", "0");
    for (int i = 7; i < args.length; i++) {
      String[] pair = args[i].split("=", 2);
      parameters.put(pair[0], pair[1]);
    }
    String method = parameters.containsKey("method") ? parameters.remove("method") : "lora";
    TrainingSpec spec =
        new TrainingSpec(
            Path.of(args[0]), Path.of(args[1]), out, args[2], method, null, null, null, parameters);
    List<Long> times = new ArrayList<>();
    List<Double> rates = new ArrayList<>();
    List<Double> memory = new ArrayList<>();
    TrainingResult result =
        TrainingRun.run(
            spec,
            (step, total, metrics) -> {
              times.add(System.nanoTime());
              rates.add(metrics.get("tokens_per_second"));
              memory.add(metrics.get("peak_memory_bytes"));
            },
            CancelSignal.NEVER);
    List<Double> seconds = new ArrayList<>();
    for (int i = 2; i < times.size(); i++) {
      seconds.add((times.get(i) - times.get(i - 1)) / 1e9);
    }
    System.out.printf(
        "{\"objective\": \"%s\", \"step_seconds\": %.4f, \"tokens_per_second\": %.1f, \"last_loss\":"
            + " %.4f, \"peak_rss_mib\": %d}%n",
        args[2],
        median(seconds),
        median(rates.subList(2, rates.size())),
        result.metrics().get("loss"),
        (long) (memory.get(memory.size() - 1) / (1 << 20)));
  }

  private static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    sorted.sort(Double::compare);
    return sorted.get(sorted.size() / 2);
  }
}
