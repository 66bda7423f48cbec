package io.attune.engine.tensor;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The process's one libtorch: its root manager, threads, seed and the parts of autograd.
 *
 * <p>Nothing is downloaded and nothing is reported: both are switched off before the native library
 * loads.
 */
public final class Torch {
  private Torch() {}

  private static final class Holder {
    static final NDManager ROOT = start();

    private static NDManager start() {
      System.setProperty("ai.djl.offline", "true");
      System.setProperty("OPT_OUT_TRACKING", "true");
      NativeCalls.enter();
      try {
        NDManager root = Engine.getEngine("PyTorch").newBaseManager();
        root.setName("engine");
        return root;
      } finally {
        NativeCalls.leave();
      }
    }
  }

  /** The manager that every scope and model descends from; lives as long as the process. */
  public static NDManager root() {
    return Holder.ROOT;
  }

  /** A scope: arrays made in it are freed when it closes. One per step, request or model. */
  public static NDManager scope(String name) {
    NDManager scope = root().newSubManager();
    scope.setName(name);
    return scope;
  }

  /** Intra-operator threads, for the whole process. */
  public static void threads(int count) {
    root();
    JniUtils.setNumThreads(count);
  }

  public static int threads() {
    root();
    return JniUtils.getNumThreads();
  }

  /**
   * Computes on a thread of its own while the caller waits, in the caller's grad mode.
   *
   * <p>libgomp keeps a team of workers for every thread that has computed, as long as that thread
   * lives. Once all teams together have more threads than there are processors, no worker waits
   * actively any more, so that every operator begins by waking them, which nearly doubles the time
   * of a small model's token in bfloat16. So what is not a process's main computation should leave
   * no team behind.
   */
  public static <T> T apart(Supplier<T> computation) {
    root();
    boolean recorded = JniUtils.isGradMode();
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              try (GradMode mode = gradMode(recorded)) {
                return computation.get();
              }
            });
    new Thread(task, "torch-apart").start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true; // what runs in libtorch cannot be broken off
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException thrown) {
        throw thrown;
      } else if (e.getCause() instanceof Error thrown) {
        throw thrown;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Seeds libtorch's default generator: what dropout draws from. */
  public static void seed(long seed) {
    root();
    JniUtils.setSeed(seed);
  }

  /** Whether operators of this thread are recorded, for as long as the result is open. */
  public static GradMode gradMode(boolean recorded) {
    root();
    boolean before = JniUtils.isGradMode();
    JniUtils.setGradMode(recorded);
    return () -> JniUtils.setGradMode(before);
  }

  /** Restores the thread's former mode when closed. */
  @FunctionalInterface
  public interface GradMode extends AutoCloseable {
    @Override
    void close();
  }

  /** Makes a leaf that gradients are collected for, or stops that. */
  public static void requireGradient(NDArray leaf, boolean required) {
    JniUtils.attachGradient((PtNDArray) leaf, required);
  }

  /** Whether an array has a derivative: it is a leaf that asks for one, or follows from such. */
  public static boolean requiresGradient(NDArray array) {
    try (NDManager work = scope("requires");
        GradMode mode = gradMode(false)) {
      return Requires.PROGRAM.run(work, "requires", new NDList(array), List.of()).get(0).getLong()
          > 0;
    }
  }

  /**
   * Adds d(result . gradient) to the gradient of every leaf; {@code gradient} as result's shape.
   */
  public static void backward(NDArray result, NDArray gradient) {
    NativeCalls.enter();
    try {
      JniUtils.backward((PtNDArray) result, (PtNDArray) gradient, false, false);
    } finally {
      NativeCalls.leave();
    }
  }

  /** A leaf's collected gradient, in {@code scope}; null if no backward pass reached it. */
  public static @Nullable NDArray gradient(NDArray leaf, NDManager scope) {
    NDArray gradient = JniUtils.getGradient((PtNDArray) leaf);
    if (gradient != null) {
      gradient.attach(scope);
    }
    return gradient;
  }

  /**
   * Frees a leaf's gradient, so that none is held while the next forward pass keeps what it needs.
   * The leaf stays the same array in the same memory.
   */
  public static void dropGradient(NDArray leaf) {
    // libtorch offers no way to take a gradient away; but an array cut off from it has none.
    leaf.intern(leaf.stopGradient());
    requireGradient(leaf, true);
  }

  /** Overwrites an array of the same shape, leaves too; never recorded. */
  public static void copy(NDArray from, NDArray into) {
    try (NDManager work = scope("copy");
        GradMode mode = gradMode(false)) {
      Copy.PROGRAM.run(work, "copy", new NDList(from, into), List.of());
    }
  }

  /**
   * Overwrites elements {@code start} to {@code start + source.size()} of a contiguous array, as it
   * lies in memory.
   */
  public static void put(NDArray source, NDArray target, long start) {
    try (NDManager work = scope("put");
        GradMode mode = gradMode(false)) {
      NDArray end = work.create(start + source.size());
      Copy.PROGRAM.run(work, "put", new NDList(source, target, work.create(start), end), List.of());
    }
  }

  private static final class Requires {
    static final Program PROGRAM =
        TorchPrograms.compile(
            """
            def requires(self: SELF, x: Tensor) -> Tensor:
              count = 0
              if ops.prim.requires_grad(x):
                count = 1
              return torch.full([1], count, dtype=4)
            """);
  }

  private static final class Copy {
    static final Program PROGRAM =
        TorchPrograms.compile(
            """
            def copy(self: SELF, source: Tensor, target: Tensor) -> Tensor:
              return torch.copy_(target, source)

            def put(self: SELF, source: Tensor, target: Tensor, start: Tensor, end: Tensor) -> Tensor:
              part = torch.slice(torch.view(target, [-1]), 0, int(start), int(end))
              return torch.copy_(part, source)
            """);
  }
}
