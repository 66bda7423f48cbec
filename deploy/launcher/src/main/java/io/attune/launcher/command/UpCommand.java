package io.attune.launcher.command;

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

/** {@code attune up}. */
@Command(
    name = "up",
    description = "Runs the whole platform on this machine until Ctrl-C.",
    mixinStandardHelpOptions = true)
public final class UpCommand implements Callable<Integer> {
  @Mixin private LocalOptions local;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data folder. Default: .attune/up in the checkout.")
  private Path data;

  @Override
  public Integer call() throws InterruptedException {
    Path folder = data != null ? data : LocalOptions.home().resolve(".attune/up");
    Display display = Display.of(System.out);
    try (DataFolder held = DataFolder.open(folder)) {
      Settings settings =
          new Settings(
              LocalOptions.home(),
              held.root(),
              local.model(),
              local.servingReplicas(1),
              local.issuer(),
              Map.of());
      try (Platform platform = Platform.start(settings, held, display)) {
        display.done("the platform runs");
        Welcome.lines(platform, settings).forEach(System.out::println);
        System.out.println("\nCtrl-C stops it.");
        String reason = platform.failed().join();
        display.note(reason);
        return 1;
      }
    } catch (LauncherException e) {
      display.note("attune up: " + e.getMessage());
      return 1;
    }
  }
}
