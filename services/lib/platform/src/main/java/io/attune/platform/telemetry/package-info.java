/**
 * Traces: W3C context as text, spans by hand where no instrumentation reaches, and when they are
 * recorded. Spans carry ids, counts and versions, never what people wrote.
 */
package io.attune.platform.telemetry;
