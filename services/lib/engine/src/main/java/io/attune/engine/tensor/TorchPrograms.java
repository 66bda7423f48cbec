package io.attune.engine.tensor;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Turns program text into callable {@link Program}s, each text once a process.
 *
 * <p>Programs hold no weights, so sharing them by text costs nothing and two models of one shape
 * share theirs.
 */
public final class TorchPrograms {
  private static final Map<String, Program> BY_TEXT = new ConcurrentHashMap<>();

  private TorchPrograms() {}

  /**
   * Compiles methods written in TorchScript.
   *
   * @param methods definitions, at any common indentation; the module's own type is spelled {@code
   *     SELF}, as in {@code def f(self: SELF, x: Tensor, w: List[Tensor]) -> Tensor:}
   */
  public static Program compile(String methods) {
    return BY_TEXT.computeIfAbsent(
        methods.stripTrailing().stripIndent().indent(2), TorchPrograms::load);
  }

  /** Whether this build of libtorch knows the operators of a method, which is not kept. */
  public static boolean compiles(String methods) {
    try {
      load(methods.stripIndent().indent(2));
      return true;
    } catch (IllegalStateException unknown) {
      return false;
    }
  }

  private static Program load(String methods) {
    NDManager manager = Torch.root();
    NativeCalls.enter();
    try (var in = new ByteArrayInputStream(ProgramArchive.write(methods))) {
      return new Program(JniUtils.loadModule((PtNDManager) manager, in, false, false), manager);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      throw new IllegalStateException("a generated program does not compile:\n" + methods, e);
    } finally {
      NativeCalls.leave();
    }
  }
}
