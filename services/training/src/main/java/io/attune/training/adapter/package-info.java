/**
 * Lines of adapters: which versions there are, which one is active, where each comes from.
 *
 * <p>A line changes by compare-and-set on its revision only, together with its event.
 */
package io.attune.training.adapter;
