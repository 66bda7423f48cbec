package io.attune.launcher;

/**
 * The attune command in a process that says, by a line on standard output, that it is in the middle
 * of a computation.
 */
final class SignalledMain {
  static final String COMPUTING = "computing";

  /** So often in a row the main thread must be seen in a native call for it to be a long one. */
  private static final int LOOKS = 200;

  private SignalledMain() {}

  public static void main(String[] args) {
    Thread main = Thread.currentThread();
    Thread watcher = new Thread(() -> watch(main), "watcher");
    watcher.setDaemon(true);
    watcher.start();
    Attune.main(args);
  }

  private static void watch(Thread main) {
    int looks = 0;
    while (looks < LOOKS) {
      looks = inLayer(main.getStackTrace()) ? looks + 1 : 0;
    }
    System.out.println(COMPUTING);
  }

  /** Whether libtorch computes a model's layer. */
  private static boolean inLayer(StackTraceElement[] stack) {
    if (stack.length == 0
        || !stack[0].isNativeMethod()
        || !stack[0].getClassName().startsWith("ai.djl.pytorch.jni.")) {
      return false;
    }
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().equals("io.attune.engine.model.Network")
          && frame.getMethodName().equals("layer")) {
        return true;
      }
    }
    return false;
  }
}
