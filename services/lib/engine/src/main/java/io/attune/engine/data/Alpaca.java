package io.attune.engine.data;

/** The prompt of Stanford Alpaca, for models without a chat template. */
final class Alpaca {
  private Alpaca() {}

  static String prompt(Row.Instruction row) {
    return row.input().isEmpty()
        ? "Below is an instruction that describes a task. Write a response that appropriately"
            + " completes the request.\n\n### Instruction:\n"
            + row.instruction()
            + "\n\n### Response:\n"
        : "Below is an instruction that describes a task, paired with an input that provides"
            + " further context. Write a response that appropriately completes the request.\n\n"
            + "### Instruction:\n"
            + row.instruction()
            + "\n\n### Input:\n"
            + row.input()
            + "\n\n### Response:\n";
  }
}
