/**
 * The parts that models are written from: code of layers, and the seam where a linear layer is
 * computed.
 *
 * <p>Shapes here and in packages built on it: N real tokens of a batch laid end to end, B
 * sequences, T longest sequence, H query heads, K key/value heads, D head size, E hidden size, V
 * vocabulary, R adapter rank.
 */
package io.attune.engine.nn;
