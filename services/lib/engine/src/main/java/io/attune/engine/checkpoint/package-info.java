/**
 * Files of models and adapters: safetensors, Hugging Face's model folders, PEFT's adapter folders,
 * digests, atomic writes.
 *
 * <p>Every file read here may come from a stranger: sizes are checked before anything is allocated,
 * and nothing is ever executed. Knows names, shapes and bytes, not what they mean to a model.
 */
package io.attune.engine.checkpoint;
