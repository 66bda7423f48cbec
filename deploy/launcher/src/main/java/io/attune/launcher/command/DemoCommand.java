package io.attune.launcher.command;

import io.attune.launcher.demo.Demo;
import io.attune.launcher.demo.DemoObjective;
import io.attune.launcher.demo.DemoPlan;
import io.attune.launcher.demo.DemoResult;
import io.attune.launcher.display.Display;
import io.attune.launcher.display.Welcome;
import io.attune.launcher.local.DataFolder;
import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Platform;
import io.attune.launcher.local.Settings;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune demo}. */
@Command(
    name = "demo",
    description = {
      "Runs the whole loop on this machine with simulated raters, and compares the model's answers"
          + " before and after."
    },
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {
  @Mixin private LocalOptions local;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data folder, kept. Default: .attune/demo in the checkout, emptied first.")
  private Path data;

  @Option(
      names = "--once",
      description = "Stop at the end; exit with 0 when the mean rating rose, with 1 otherwise.")
  private boolean once;

  @Option(names = "--seed", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Option(
      names = "--questions",
      paramLabel = "N",
      description =
          "Questions that are asked and rated, four answers each. Fewer are faster, with a large"
              + " model above all. Default: ${DEFAULT-VALUE}.")
  private int questions = 192;

  @Option(
      names = "--objective",
      paramLabel = "NAME",
      description =
          "What the policy learns by: ${COMPLETION-CANDIDATES}. ppo, grpo and rloo learn in rounds"
              + " from what serving writes and reward scores. Default: ${DEFAULT-VALUE}.")
  private DemoObjective objective = DemoObjective.DPO;

  @Override
  public Integer call() throws InterruptedException {
    Display display = Display.of(System.out);
    DemoPlan plan = DemoPlan.standard(seed, questions);
    Path folder = data != null ? data : LocalOptions.home().resolve(".attune/demo");
    try (DataFolder held = DataFolder.open(folder)) {
      if (data == null) {
        held.clear();
      }
      Settings settings =
          new Settings(
              LocalOptions.home(),
              held.root(),
              local.model(),
              local.servingReplicas(objective.servingReplicas()),
              local.issuer(),
              Map.of("training", plan.trainingSettings(local.hiddenSize(), objective)));
      plan.rubricLines().forEach(System.out::println);
      try (Platform platform = Platform.start(settings, held, display)) {
        DemoResult result = new Demo(platform, plan, display).run();
        display.done("the loop is closed");
        result.lines().forEach(System.out::println);
        System.out.println();
        Welcome.lines(platform, settings).forEach(System.out::println);
        if (!once) {
          System.out.println("\nThe platform runs on. Ctrl-C stops it.");
          display.note(platform.failed().join());
        }
        return result.improved() ? 0 : 1;
      }
    } catch (LauncherException e) {
      display.note("attune demo: " + e.getMessage());
      return 1;
    }
  }
}
