package io.attune.engine.report;

/** A call that MLflow did not carry out. */
final class MlflowException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final int LONGEST = 300;

  private final boolean passing;
  private final String code;

  private MlflowException(String message, boolean passing, String code) {
    super(clean(message));
    this.passing = passing;
    this.code = code;
  }

  /** The server is away or in trouble; the same call may succeed later. */
  static MlflowException unavailable(String message) {
    return new MlflowException(message, true, "");
  }

  /**
   * The server does not want this call.
   *
   * @param code MLflow's, such as {@code RESOURCE_DOES_NOT_EXIST}; may be empty
   */
  static MlflowException refused(String message, String code) {
    return new MlflowException(message, false, code);
  }

  boolean isPassing() {
    return passing;
  }

  boolean isCode(String name) {
    return code.equals(name);
  }

  /** One line that is fit for a terminal: servers send whole pages. */
  private static String clean(String message) {
    String line = message.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "...";
  }
}
