package io.attune.engine.model;

/**
 * With which probability elements are dropped while a model is trained, by what they belong to.
 *
 * @param hidden the embeddings, and what a feed-forward network adds to the hidden states
 * @param attentionOutput what attention adds to the hidden states
 * @param attention the weights of attention, after the softmax
 * @param activation what is inside the feed-forward network
 * @param head what a classifier reads
 */
record Dropout(
    double hidden, double attentionOutput, double attention, double activation, double head) {}
