/**
 * The part of Jinja that chat templates use, with Python's values and transformers' settings
 * ({@code trim_blocks}, {@code lstrip_blocks}, {@code tojson} without escapes).
 *
 * <p>A template comes from a model folder, so from a stranger. It is safe by construction: values
 * are null, booleans, numbers, strings, lists and maps; there is no reflection, no file access, and
 * output, steps and depth are bounded. What is not understood is refused, never rendered wrongly.
 */
package io.attune.engine.template;
