/**
 * What {@code attune evaluate} does: a {@link io.attune.launcher.evaluate.Subject} reads or answers
 * rows, passes turn that into statistics of each row, and a report scores them.
 */
package io.attune.launcher.evaluate;
