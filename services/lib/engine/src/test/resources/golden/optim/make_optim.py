"""Reference results of optimizers, schedules and parameter groups: make_optim.py MODEL

Needs torch, transformers, peft, safetensors, galore-torch 1.0 and bitsandbytes 0.50.2, which all run
on CPU. MODEL is golden/models/llama. Writes expected.safetensors, schedules.json and groups.json beside
this file.

Each optimizer takes 20 steps on a problem that OptimizerProblem.java states again: the gradient of
weight w is s * (w - t), element by element.
"""

import json
import sys
from pathlib import Path

import bitsandbytes
import numpy as np
import torch
from bitsandbytes.functional import create_dynamic_map
from bitsandbytes.optim.optimizer import Optimizer2State
from galore_torch import GaLoreAdamW
from galore_torch.galore_projector import GaLoreProjector
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, get_scheduler
from transformers.optimization import Adafactor

OUT = Path(__file__).parent
STEPS, RATE, DECAY = 20, 1e-2, 0.05
# The first two have enough elements for 8-bit moments; the second does not fill its last block.
SHAPES = {
    "tall.weight": (72, 64),
    "wide.weight": (50, 84),
    "small.weight": (12, 20),
    "slim.weight": (20, 12),
    "layer.bias": (30,),
}
PROJECTED = ["tall.weight", "wide.weight", "small.weight", "slim.weight"]


def uniform(salt, shape):
    """Numbers in [0, 1) that any language can make: 24 bits of a hash of place and salt."""
    x = np.arange(np.prod(shape), dtype=np.uint32) + np.uint32(salt * 1000003)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(16)
    return torch.from_numpy((x >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)).reshape(shape)


def problem():
    weights, terms = {}, {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        weights[name] = torch.nn.Parameter((uniform(3 * i, shape) - 0.5) * 0.5)
        scale = uniform(3 * i + 1, shape)
        terms[name] = (scale * scale, uniform(3 * i + 2, shape) - 0.5)
    return weights, terms


def rate(step):
    return RATE * (1 - step / 40)


def train(make, scheduled=True, names=None):
    weights, terms = problem()
    if names is not None:
        weights = {name: weights[name] for name in names}
    optimizer = make(weights)
    for step in range(STEPS):
        if scheduled:
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
        for name, weight in weights.items():
            scale, target = terms[name]
            weight.grad = scale * (weight.detach() - target)
        optimizer.step()
    return weights, optimizer


def galore_groups(weights, **options):
    return [
        {"params": [p for n, p in weights.items() if n not in PROJECTED]},
        {
            "params": [p for n, p in weights.items() if n in PROJECTED],
            "rank": 8,
            # One search in 20 steps: signs of singular vectors are LAPACK's choice, and moments that
            # go on in the next subspace depend on them.
            "update_proj_gap": 200,
            "scale": 0.5,
            "proj_type": "std",
            **options,
        },
    ]


class GaLoreAdamW8bit(Optimizer2State):
    """galore_torch.adamw8bit.AdamW8bit, which synchronizes with a GPU and calls an earlier bitsandbytes."""

    def __init__(self, params, lr, betas, eps, weight_decay):
        super().__init__("adam", params, lr, betas, eps, weight_decay, 8)

    @torch.no_grad()
    def step(self):
        for gindex, group in enumerate(self.param_groups):
            for pindex, p in enumerate(group["params"]):
                state = self.state[p]
                if "step" not in state:
                    state["step"] = 0
                decay = group["weight_decay"]
                if "rank" in group:
                    if "projector" not in state:
                        state["projector"] = GaLoreProjector(
                            group["rank"],
                            update_proj_gap=group["update_proj_gap"],
                            scale=group["scale"],
                            proj_type=group["proj_type"],
                        )
                    group["weight_decay"] = 0
                    grad = state["projector"].project(p.grad, state["step"])
                    saved = p.data.clone()
                    p.data = torch.zeros_like(grad)
                    p.grad = grad
                if "state1" not in state:
                    self.init_state(group, p, gindex, pindex)
                self.update_step(group, p, gindex, pindex)
                if "rank" in group:
                    p.data = saved.add_(state["projector"].project_back(p.data))
                    p.data.add_(p.data, alpha=-group["lr"] * decay)
                    group["weight_decay"] = decay


def adam(weights_of, eps=1e-8):
    return lambda kind: lambda weights: kind(
        weights_of(weights), lr=RATE, betas=(0.9, 0.999), eps=eps, weight_decay=DECAY
    )


def optimizers():
    plain = adam(lambda weights: list(weights.values()))
    yield "adamw_torch", train(plain(torch.optim.AdamW))
    yield "adamw_8bit", train(plain(bitsandbytes.optim.AdamW8bit))
    yield "adafactor", train(
        lambda w: Adafactor(
            list(w.values()), lr=RATE, weight_decay=DECAY, scale_parameter=False, relative_step=False
        )
    )
    yield "adafactor.relative_step", train(
        lambda w: Adafactor(list(w.values()), weight_decay=DECAY, warmup_init=False), scheduled=False
    )
    yield "adafactor.warmup_init", train(
        lambda w: Adafactor(
            list(w.values()), beta1=0.9, warmup_init=True, clip_threshold=0.5, decay_rate=-0.7
        ),
        scheduled=False,
    )
    yield "galore_adamw", train(adam(galore_groups)(GaLoreAdamW))
    yield "galore_adamw_8bit", train(adam(lambda w: galore_groups(w, rank=64))(GaLoreAdamW8bit))
    small = ["small.weight", "slim.weight"]
    for kind in ("right", "left", "reverse_std", "full"):
        # galore-torch's own epsilon: projected from both sides the first gradient is diagonal, and all
        # else in it is rounding, which 1e-8 would let through.
        groups = adam(lambda w, kind=kind: galore_groups(w, proj_type=kind)[1:], eps=1e-6)
        yield f"galore_adamw.{kind}", train(groups(GaLoreAdamW), names=small)


def schedules():
    for name, warmup, total, options in [
        ("constant", 0, 12, {}),
        ("constant_with_warmup", 4, 12, {}),
        ("linear", 3, 12, {}),
        ("linear", 0, 5, {}),
        ("cosine", 3, 17, {}),
        ("cosine", 2, 12, {"num_cycles": 1.5}),
        ("cosine_with_min_lr", 2, 12, {"min_lr": 1e-4}),
        ("cosine_with_min_lr", 2, 12, {"min_lr_rate": 0.25, "num_cycles": 0.75}),
        ("warmup_stable_decay", 3, 15, {"num_decay_steps": 5}),
        ("warmup_stable_decay", 3, 15, {"num_decay_steps": 5, "num_stable_steps": 4, "min_lr_ratio": 0.1}),
        *[
            (
                "warmup_stable_decay",
                4,
                15,
                {"num_decay_steps": 6, "warmup_type": kind, "decay_type": kind, "min_lr_ratio": 0.05},
            )
            for kind in ("linear", "cosine", "1-sqrt")
        ],
    ]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
        schedule = get_scheduler(name, optimizer, warmup, total, options)
        rates = []
        for _ in range(total + 2):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        yield {"lr_scheduler_type": name, "warmup_steps": warmup, "max_steps": total,
               "lr_scheduler_kwargs": options, "learning_rate": 2e-3, "rates": rates}


def loraplus(model):
    config = LoraConfig(r=2, target_modules=["q_proj", "down_proj", "embed_tokens"], bias="all", use_dora=True)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
    optimizer = create_loraplus_optimizer(
        model, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=16.0, loraplus_lr_embedding=3e-6,
        loraplus_weight_decay=0.02,
    )
    names = {id(p): n for n, p in model.named_parameters()}
    return {
        names[id(p)].removeprefix("base_model.model.").replace(".default", ""): [
            group["lr"],
            group["weight_decay"],
        ]
        for group in optimizer.param_groups
        for p in group["params"]
    }


def main(model):
    torch.set_num_threads(1)
    tensors = {
        "map.signed": create_dynamic_map(signed=True),
        "map.unsigned": create_dynamic_map(signed=False),
    }
    for kind, (weights, optimizer) in optimizers():
        for name, weight in weights.items():
            tensors[f"{kind}/{name}"] = weight.data.clone()
            if kind == "adamw_8bit" and name == "wide.weight":
                for part in ("state1", "state2", "absmax1", "absmax2"):
                    tensors[f"{kind}/{part}.{name}"] = optimizer.state[weight][part].clone()
    save_file(tensors, OUT / "expected.safetensors")
    (OUT / "schedules.json").write_text(json.dumps(list(schedules()), indent=1) + "\n")
    (OUT / "groups.json").write_text(json.dumps(loraplus(model), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
