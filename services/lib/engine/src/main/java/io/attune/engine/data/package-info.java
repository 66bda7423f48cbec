/**
 * Rows of a data set, and the examples that objectives learn from: token ids with their meaning.
 */
package io.attune.engine.data;
