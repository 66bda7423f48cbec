/**
 * Text to token ids and back, and conversations to text: the tokenizer, the chat template, and the
 * contract that ties both to an adapter.
 */
package io.attune.engine.token;
