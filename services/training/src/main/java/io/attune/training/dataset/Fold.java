package io.attune.training.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.training.v1.RatingSettings;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A part of the prompts, by their hash: two reward models of different folds know nothing of each
 * other's prompts. Prompts that are held out from all training are in every fold.
 *
 * @param index from 0
 * @param count of folds
 */
record Fold(int index, int count) {
  static Fold of(RatingSettings settings) {
    return new Fold(settings.getFold(), settings.hasFolds() ? settings.getFolds() : 1);
  }

  boolean contains(JsonNode prompt) {
    if (count == 1) {
      return true;
    }
    try {
      // Salted: what is held out is chosen by the plain hash, and must not lean to one fold.
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(("fold\n" + prompt).getBytes(UTF_8));
      return new BigInteger(1, hash).mod(BigInteger.valueOf(count)).intValue() == index;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
