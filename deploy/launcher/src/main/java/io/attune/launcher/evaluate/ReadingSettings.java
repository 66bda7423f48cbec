package io.attune.launcher.evaluate;

/**
 * How rows are read.
 *
 * @param maxLength tokens of a row or window at most; 0 for 1024, or what the model has positions
 *     for
 * @param stride tokens from one window's start to the next one's; 0 for half a window
 * @param batchSize rows, windows or texts that are read or written at once
 */
public record ReadingSettings(int maxLength, int stride, int batchSize) {}
