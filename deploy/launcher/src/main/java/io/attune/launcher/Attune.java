package io.attune.launcher;

import io.attune.launcher.command.DemoCommand;
import io.attune.launcher.command.QuickstartCommand;
import io.attune.launcher.command.TokenCommand;
import io.attune.launcher.command.UpCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The attune command. */
@Command(
    name = "attune",
    description = "Fine-tunes language models from live user feedback.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      TokenCommand.class,
      QuickstartCommand.class
    })
public final class Attune {
  private Attune() {}

  /** Ends with the subcommand's status: 0 done, 1 failed, 2 wrong usage. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Attune()).execute(arguments));
  }
}
