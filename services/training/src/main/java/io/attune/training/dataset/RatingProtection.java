package io.attune.training.dataset;

import io.attune.training.v1.RatingSettings;

/**
 * How far one rater can move what is learned.
 *
 * @param enabled false: every rating counts as one, whoever sent it and however often
 * @param maxRaterShare a rater's part of the weight of all ratings at most; see {@link Shares#room}
 * @param maxRaterSharePerAnswer a rater's part of an answer's mean score, or of the votes on a
 *     pair, at most; where several raters share it equally, their equal part
 * @param maxAnonymousShare the part of all ratings that name no rater, together
 * @param raterReliability whether a rater counts by how far the others agree; see {@link
 *     RaterAgreement}
 */
record RatingProtection(
    boolean enabled,
    double maxRaterShare,
    double maxRaterSharePerAnswer,
    double maxAnonymousShare,
    boolean raterReliability) {

  static final RatingProtection DEFAULT = new RatingProtection(true, 0.05, 0.75, 0.5, true);
  static final RatingProtection OFF = new RatingProtection(false, 1, 1, 1, false);

  static RatingProtection of(RatingSettings settings) {
    if (settings.hasProtection() && !settings.getProtection()) {
      return OFF;
    }
    return new RatingProtection(
        true,
        settings.hasMaxRaterShare() ? settings.getMaxRaterShare() : DEFAULT.maxRaterShare,
        settings.hasMaxRaterSharePerAnswer()
            ? settings.getMaxRaterSharePerAnswer()
            : DEFAULT.maxRaterSharePerAnswer,
        settings.hasMaxAnonymousShare()
            ? settings.getMaxAnonymousShare()
            : DEFAULT.maxAnonymousShare,
        !settings.hasRaterReliability() || settings.getRaterReliability());
  }
}
