/**
 * The OpenAI-compatible HTTP API. Fields that are not supported are refused by name: a caller never
 * believes in a setting that had no effect. The adapter is chosen by {@code model}.
 */
package io.attune.serving.openai;
