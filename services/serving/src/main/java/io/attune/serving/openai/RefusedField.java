package io.attune.serving.openai;

/** A field of the request's body that is wrong, missing or not supported. */
final class RefusedField extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String param;

  /**
   * @param param the field's path, for example {@code messages[0].role}; null for the body itself
   */
  RefusedField(String param, String message) {
    super(message);
    this.param = param;
  }

  String param() {
    return param;
  }
}
