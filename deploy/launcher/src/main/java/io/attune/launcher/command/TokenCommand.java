package io.attune.launcher.command;

import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Tokens;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code attune token}. */
@Command(
    name = "token",
    description = "Prints a token for the platform that `up` or `demo` runs on this machine.",
    mixinStandardHelpOptions = true)
public final class TokenCommand implements Callable<Integer> {
  @Option(
      names = "--role",
      paramLabel = "ROLE",
      required = true,
      description = "rater, data-engineer, trainer, operator or viewer; may be given again.")
  private List<String> roles = new ArrayList<>();

  @Option(names = "--subject", paramLabel = "NAME", description = "Default: ${DEFAULT-VALUE}.")
  private String subject = System.getProperty("user.name");

  @Option(
      names = "--tenant",
      paramLabel = "NAME",
      defaultValue = "default",
      description = "The tenant that the subject belongs to. Default: ${DEFAULT-VALUE}.")
  private String tenant;

  @Option(
      names = "--valid",
      paramLabel = "DURATION",
      description = "ISO 8601. Default: PT12H; Keycloak alone says how long its tokens are valid.")
  private Duration validity;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data folder of the platform. Default: .attune/up in the checkout.")
  private Path data;

  @Override
  public Integer call() {
    try {
      Path folder = data != null ? data : LocalOptions.home().resolve(".attune/up");
      Tokens tokens = Tokens.of(folder);
      Tenant its = new Tenant(tenant);
      System.out.println(
          validity == null
              ? tokens.mint(its, subject, roles)
              : tokens.mint(its, subject, roles, validity));
      return 0;
    } catch (LauncherException | PlatformException e) {
      System.err.println("attune token: " + e.getMessage());
      return 1;
    }
  }
}
