/**
 * The inference endpoint: one base model and the adapters of every policy line, by gRPC and by the
 * OpenAI-compatible HTTP API. Every answer is written by exactly one adapter version, which it
 * names. No state of its own: lines come from Kafka, adapters from object storage.
 */
package io.attune.serving;
