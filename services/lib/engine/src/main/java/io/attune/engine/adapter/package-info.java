/**
 * Adapters: small trained parts beside frozen weights, one file a kind, in PEFT's file format.
 *
 * <p>An adapter enters a model at the projection seam alone.
 */
package io.attune.engine.adapter;
