package io.attune.launcher.command;

import io.attune.launcher.quickstart.QuickstartFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code attune quickstart}: hidden, since only who makes the bundled model anew needs it. */
@Command(
    name = "quickstart",
    hidden = true,
    description = "Writes the corpus and the empty model that the bundled model is trained from.",
    mixinStandardHelpOptions = true)
public final class QuickstartCommand implements Callable<Integer> {
  @Option(names = "--out", paramLabel = "DIR", required = true)
  private Path out;

  @Option(names = "--dialogues", description = "Default: ${DEFAULT-VALUE}.")
  private int dialogues = 30_000;

  @Option(names = "--seed", description = "Default: ${DEFAULT-VALUE}.")
  private long seed = 7;

  @Override
  public Integer call() throws IOException {
    QuickstartFiles.write(out, dialogues, seed);
    return 0;
  }
}
