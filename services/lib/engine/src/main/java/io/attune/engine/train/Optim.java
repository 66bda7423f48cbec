package io.attune.engine.train;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Optimizers, by transformers' names ({@code optim}). */
public enum Optim {
  ADAMW_TORCH(List.of("adamw_torch", "adamw_torch_fused"), Set.of()),
  ADAMW_8BIT(List.of("adamw_8bit", "adamw_bnb_8bit"), Set.of()),
  ADAFACTOR(
      List.of("adafactor"),
      Set.of(
          "scale_parameter",
          "relative_step",
          "warmup_init",
          "clip_threshold",
          "decay_rate",
          "beta1")),
  GALORE_ADAMW(List.of("galore_adamw"), Set.of("rank", "update_proj_gap", "scale", "proj_type")),
  GALORE_ADAMW_8BIT(
      List.of("galore_adamw_8bit"), Set.of("rank", "update_proj_gap", "scale", "proj_type"));

  private final List<String> names;
  private final Set<String> arguments;

  Optim(List<String> names, Set<String> arguments) {
    this.names = names;
    this.arguments = arguments;
  }

  /** The optimizer called {@code name}; refuses other names. */
  public static Optim named(String name) {
    for (Optim optim : values()) {
      if (optim.names.contains(name)) {
        return optim;
      }
    }
    throw new IllegalArgumentException(
        "'optim' is "
            + name
            + "; implemented are "
            + Arrays.stream(values()).flatMap(Optim::names).collect(Collectors.joining(", ")));
  }

  private Stream<String> names() {
    return names.stream();
  }

  /** What {@code optim_args} may set. */
  Set<String> arguments() {
    return arguments;
  }

  @Override
  public String toString() {
    return names.get(0);
  }
}
