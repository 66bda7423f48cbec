package io.attune.launcher;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import io.attune.launcher.command.Interrupt;
import java.util.List;

/**
 * The attune command in a process that says, by a line on standard output, that it is in the middle
 * of a computation.
 */
final class SignalledMain {
  static final String COMPUTING = "computing";

  /** Instead of a command: one call that lasts longer than the JVM would wait for it. */
  static final String LONG_CALL = "long-call";

  /** What libtorch itself prints at the end of that call. */
  static final String COMPUTED = "computed";

  /** So often in a row the main thread must be seen in libtorch for it to be in a long call. */
  private static final int LOOKS = 200;

  private SignalledMain() {}

  public static void main(String[] args) {
    Thread main = Thread.currentThread();
    Thread watcher = new Thread(() -> watch(main), "watcher");
    watcher.setDaemon(true);
    watcher.start();
    if (args[0].equals(LONG_CALL)) {
      Interrupt.handle();
      compute();
    } else {
      Attune.main(args);
    }
  }

  private static void compute() {
    Program program =
        TorchPrograms.compile(
            """
            def count(self: SELF, x: Tensor) -> Tensor:
              for i in range(3000000):
                x = torch.add(x, 1)
              print("%s")
              return x
            """
                .formatted(COMPUTED));
    try (NDManager scope = Torch.scope("test");
        NDArray zero = scope.create(0f)) {
      program.run(scope, "count", new NDList(zero), List.of());
    }
  }

  private static void watch(Thread main) {
    int looks = 0;
    while (looks < LOOKS) {
      looks = computes(main.getStackTrace()) ? looks + 1 : 0;
    }
    System.out.println(COMPUTING);
  }

  private static boolean computes(StackTraceElement[] stack) {
    if (stack.length == 0 || !stack[0].isNativeMethod()) {
      return false;
    }
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().equals(Program.class.getName())
          && frame.getMethodName().equals("run")) {
        return true;
      }
    }
    return false;
  }
}
