/**
 * Frozen weights in few bits: how bitsandbytes quantizes them, and the projection that computes
 * with them, dequantized one at a time.
 */
package io.attune.engine.quant;
