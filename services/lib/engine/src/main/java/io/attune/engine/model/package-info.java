/**
 * Model families, one file each, and the network that any of them becomes.
 *
 * <p>A family writes the code of its layers and names its weights; it knows nothing of adapters,
 * quantization or training.
 */
package io.attune.engine.model;
