/**
 * Tensors: scopes, seeds, and programs written in TorchScript by this engine.
 *
 * <p>The only package that knows DJL's PyTorch engine; the others see {@code NDArray} and {@link
 * io.attune.engine.tensor.Program}.
 */
package io.attune.engine.tensor;
