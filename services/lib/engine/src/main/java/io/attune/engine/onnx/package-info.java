/**
 * Imports sentence encoders of the BERT type from ONNX.
 *
 * <p>A graph file may come from a stranger: it is mapped, never copied into the heap, every size is
 * checked before anything is allocated, and nothing in it is executed. Format: <a
 * href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">onnx.proto</a>.
 */
package io.attune.engine.onnx;
