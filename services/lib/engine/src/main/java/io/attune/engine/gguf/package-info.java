/**
 * Import of GGUF, the format of llama.cpp, into Hugging Face's layout: the file, its block formats,
 * the model families, the tokenizer. Format: <a
 * href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">gguf.md</a>.
 *
 * <p>A file may come from a stranger: every count, length and offset is checked against the file
 * before it is believed, and what is kept in memory has a limit.
 */
package io.attune.engine.gguf;
