package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.util.regex.Pattern;

/**
 * A model on the hub at a revision.
 *
 * @param path {@code ORG/NAME}
 * @param revision branch, tag or commit
 */
public record ModelId(String path, String revision) {
  public static final String MAIN = "main";

  private static final Pattern PATH =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}");
  private static final Pattern REVISION =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}){0,4}");

  public ModelId {
    if (!isPath(path)) {
      throw new LauncherException("'" + path + "' is not a model's name: write ORG/NAME");
    }
    if (!REVISION.matcher(revision).matches() || revision.contains("..")) {
      throw new LauncherException("'" + revision + "' is not a branch, tag or commit");
    }
  }

  /** Whether a text has the form {@code ORG/NAME}. */
  public static boolean isPath(String text) {
    return PATH.matcher(text).matches() && !text.contains("..");
  }

  @Override
  public String toString() {
    return revision.equals(MAIN) ? path : path + " at " + revision;
  }
}
