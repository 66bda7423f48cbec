package io.attune.engine.model;

import io.attune.engine.nn.Linear;
import org.jspecify.annotations.Nullable;

/**
 * One step of a head: a linear layer and what follows it.
 *
 * @param activation by transformers' name; null for none
 * @param dropout with which probability elements that the layer reads are dropped in training
 */
public record HeadLayer(Linear linear, @Nullable String activation, double dropout) {}
