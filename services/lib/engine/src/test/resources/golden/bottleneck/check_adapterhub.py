"""Loads each case's adapter into AdapterHub's models and compares the logits with expected.safetensors.

Usage: python check_adapterhub.py, in this folder, with adapters 1.3.0, transformers 4.57.6, torch 2.15.0.
"""
import glob, json, os
import adapters, torch
from adapters import BnConfig
from adapters.methods.bottleneck import BottleneckLayer
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

AUTO = {"CAUSAL_LM": AutoModelForCausalLM, "SEQ_2_SEQ_LM": AutoModelForSeq2SeqLM,
        "SEQ_CLS": AutoModelForSequenceClassification}
FIELDS = set(BnConfig.__dataclass_fields__)
PLACES = {"mh_adapter": "attention", "cross_adapter": "cross_attention", "output_adapter": "output"}


def check(case):
    config = json.load(open(f"{case}/adapter_config.json"))
    expected = json.load(open(f"{case}/expected.json"))
    logits = load_file(f"{case}/expected.safetensors")
    model = AUTO[config["task_type"]].from_pretrained("../" + expected["base"], dtype=torch.float32,
                                                      attn_implementation="eager").eval()
    adapters.init(model)
    model.add_adapter("a", BnConfig(**{k: v for k, v in config.items() if k in FIELDS}))
    model.set_active_adapters("a")
    stored = load_file(f"{case}/adapter_model.safetensors")
    modules = {}
    for name in sorted(stored, key=lambda name: "decoder." in name):  # the order of layers
        module = name.split("_adapters.")[0] + "_adapters"
        modules.setdefault(module.rsplit(".", 1)[1], [])
        if module not in modules[module.rsplit(".", 1)[1]]:
            modules[module.rsplit(".", 1)[1]].append(module)
    used = 0
    for layer in model.modules():
        if isinstance(layer, BottleneckLayer) and "a" in layer.adapters:
            module = modules[PLACES[layer.location_key] + "_adapters"].pop(0)
            state = {k[len(module) + 1:]: v for k, v in stored.items() if k.startswith(module + ".")}
            used += len(state)
            layer.adapters["a"].load_state_dict(state)
    assert used == len(stored), (used, len(stored))
    worst = 0
    for i, ids in enumerate(expected["input_ids"]):
        more = {"labels": torch.tensor([expected["labels"][i]])} if "labels" in expected else {}
        with torch.no_grad():
            found = model(input_ids=torch.tensor([ids]), **more).logits[0]
        worst = max(worst, (found - logits[f"logits.{i}"]).abs().max().item())
    print(f"{case}: {worst:.1e}", flush=True)
    return worst


if __name__ == "__main__":
    assert max([check(os.path.dirname(path)) for path in sorted(glob.glob("*/run.json"))]) < 1e-4
