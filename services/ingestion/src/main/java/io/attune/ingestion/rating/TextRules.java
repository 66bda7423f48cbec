package io.attune.ingestion.rating;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;

/** What texts and names may hold. Messages name the field and never quote it. */
final class TextRules {

  static final int MAX_NAME_CHARACTERS = 200;
  static final int MAX_TEXT_BYTES = 64 * 1024;
  private static final int MAX_DATASET_CHARACTERS = 100;

  private TextRules() {}

  /** A text of people: well-formed Unicode of at most 64 KiB. */
  static void checkText(String field, String text) {
    long bytes = utf8Bytes(text);
    if (bytes < 0) {
      throw invalid(field + " is not well-formed Unicode; send it as UTF-8");
    }
    if (bytes > MAX_TEXT_BYTES) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_TOO_LARGE,
          "%s has %d bytes and at most %d are taken; shorten it."
              .formatted(field, bytes, MAX_TEXT_BYTES));
    }
  }

  /** An id or name: up to 200 characters, none of them a control character. */
  static void checkName(String field, String name) {
    if (name.length() > MAX_NAME_CHARACTERS) {
      throw invalid(
          "%s has %d characters and at most %d are taken"
              .formatted(field, name.length(), MAX_NAME_CHARACTERS));
    }
    if (!isName(name)) {
      throw invalid(field + " holds a control character or is not well-formed Unicode");
    }
  }

  /** The name if it can be shown and stored, else nothing. */
  static String readableName(String name) {
    return name.length() <= MAX_NAME_CHARACTERS && isName(name) ? name : "";
  }

  /** A data set is part of topics' keys and URLs, so its alphabet is small. */
  static void checkDataset(String name) {
    boolean fits = name.length() <= MAX_DATASET_CHARACTERS && !name.isEmpty();
    for (int i = 0; fits && i < name.length(); i++) {
      char c = name.charAt(i);
      boolean alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      fits = alphanumeric || (i > 0 && (c == '-' || c == '_' || c == '.'));
    }
    if (!fits) {
      throw invalid(
          "dataset must be 1 to 100 of a-z, 0-9, '-', '_' and '.', and begin with a letter or"
              + " digit");
    }
  }

  static PlatformException invalid(String what) {
    return new PlatformException(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, what + ".");
  }

  private static boolean isName(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (Character.isISOControl(name.charAt(i))) {
        return false;
      }
    }
    return utf8Bytes(name) >= 0;
  }

  /** The length in UTF-8; -1 if a surrogate stands alone. */
  private static long utf8Bytes(String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        bytes += 1;
      } else if (c < 0x800) {
        bytes += 2;
      } else if (!Character.isSurrogate(c)) {
        bytes += 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else {
        return -1;
      }
    }
    return bytes;
  }
}
