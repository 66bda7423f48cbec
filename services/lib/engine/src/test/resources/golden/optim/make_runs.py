"""Ten steps of methods that train some weights, or at several rates: make_runs.py GOLDEN

Needs torch, transformers, peft and safetensors. GOLDEN is golden/. Writes runs.json and
runs.safetensors beside this file: BitFit of models/gpt2, the last layer and the norm of models/llama,
and LoRA+ (peft's optimizer) from the adapter that runs/sft-lora starts from.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModelForCausalLM, get_scheduler
from transformers.trainer_pt_utils import get_parameter_names

OUT = Path(__file__).parent
STEPS, DECAY = 10, 0.01


def adamw(model, rate):
    """As transformers' Trainer makes it."""
    forbidden = ["bias", "layernorm", "rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    decayed = set(get_parameter_names(model, [nn.LayerNorm], forbidden))
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for n, p in trained if n in decayed], "weight_decay": DECAY},
        {"params": [p for n, p in trained if n not in decayed], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=rate)


def train(model, optimizer, rows):
    """Four rows a step in file order, in two batches; completions only; clipped at 1."""
    schedule = get_scheduler("linear", optimizer, 1, STEPS)
    steps = []
    for step in range(STEPS):
        batch = [rows[(4 * step + i) % len(rows)] for i in range(4)]
        count = sum(label >= 0 for row in batch for label in row["labels"][1:])
        total = 0.0
        for row in batch:
            logits = model(input_ids=torch.tensor([row["input_ids"]])).logits[0, :-1]
            labels = torch.tensor(row["labels"][1:])
            loss = nn.functional.cross_entropy(logits, labels, reduction="sum") / count
            loss.backward()
            total += loss.item()
        norm = nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        rates = [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        steps.append({"loss": total, "grad_norm": norm.item(), "learning_rate": rates[0]})
    return steps


def partial(path, rate, trained):
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = trained(name)
    return model, adamw(model, rate)


def main(golden):
    torch.set_num_threads(1)
    rows = json.loads((golden / "runs/sft-full/tokens.json").read_text())
    models = golden / "models"
    base = AutoModelForCausalLM.from_pretrained(models / "llama", dtype=torch.float32)
    lora = PeftModel.from_pretrained(base, golden / "runs/sft-lora/init", is_trainable=True)
    cases = {
        "bitfit": partial(models / "gpt2", 1e-2, lambda name: name.endswith("bias")),
        "freeze": partial(
            models / "llama", 2e-3, lambda n: n.startswith("model.layers.1.") or n == "model.norm.weight"
        ),
        "loraplus": (
            lora,
            create_loraplus_optimizer(
                lora, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=16.0, loraplus_weight_decay=DECAY
            ),
        ),
    }
    runs, tensors = {}, {}
    for case, (model, optimizer) in cases.items():
        runs[case] = train(model, optimizer, rows)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                name = name.removeprefix("base_model.model.").replace(".default", "")
                tensors[f"{case}/{name}"] = parameter.data.clone()
    save_file(tensors, OUT / "runs.safetensors")
    (OUT / "runs.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
