package io.attune.launcher;

import io.attune.engine.EngineException;
import io.attune.launcher.command.DemoCommand;
import io.attune.launcher.command.EvaluateCommand;
import io.attune.launcher.command.GenerateCommand;
import io.attune.launcher.command.ImportCommand;
import io.attune.launcher.command.Interrupt;
import io.attune.launcher.command.LogitsCommand;
import io.attune.launcher.command.MergeCommand;
import io.attune.launcher.command.QuickstartCommand;
import io.attune.launcher.command.TokenCommand;
import io.attune.launcher.command.TrainCommand;
import io.attune.launcher.command.UpCommand;
import io.attune.launcher.local.LauncherException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/**
 * The attune command. Exits with 0 when done, 2 when called wrongly, 1 when it failed, 130 after
 * Ctrl-C and 143 after SIGTERM.
 */
@Command(
    name = "attune",
    description = "Fine-tunes language models from live user feedback.",
    mixinStandardHelpOptions = true,
    version = "attune 0.1.0",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      TokenCommand.class,
      QuickstartCommand.class,
      TrainCommand.class,
      GenerateCommand.class,
      LogitsCommand.class,
      EvaluateCommand.class,
      MergeCommand.class,
      ImportCommand.class,
    })
public final class Attune {
  @CommandLine.Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of a failure.")
  private boolean debug;

  public static void main(String[] args) {
    Interrupt.handle();
    System.exit(execute(args));
  }

  static int execute(String... args) {
    CommandLine line = new CommandLine(new Attune()).setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(Attune::misused);
    line.setExecutionExceptionHandler(Attune::failed);
    if (args.length == 0) {
      line.usage(line.getOut());
      return CommandLine.ExitCode.USAGE;
    }
    return line.execute(args);
  }

  private static int misused(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getErr();
    err.println(name + ": " + e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
    err.println("See '" + name + " --help'.");
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    String name = command.getCommandSpec().qualifiedName();
    boolean expected = e instanceof EngineException || e instanceof LauncherException;
    command
        .getErr()
        .println(
            name
                + ": "
                + (expected ? e.getMessage() : "unexpected " + e + " (--debug shows where)"));
    boolean debug = parsed.expandedArgs().stream().anyMatch("--debug"::equals);
    if (debug) {
      e.printStackTrace(command.getErr());
    }
    boolean misuse =
        e instanceof EngineException engine
            && engine.reason() == EngineException.Reason.INVALID_ARGUMENT;
    return misuse ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
  }
}
