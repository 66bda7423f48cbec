"""Ten steps of every training method on the tiny models, as peft and the optimizers' own packages take them.

Usage: python make_methods.py, in this folder. Made with transformers 5.18.0, peft 0.21.0, bitsandbytes
0.50.2, galore-torch 1.0 and torch 2.15.0, on CPU in float32.

../adapters/training/NAME are adapters to start from; each gets run.json and final.safetensors. A case
here is run.json (base, settings, start, and each step's loss, norm and rate) and final.safetensors:
the adapter as peft saves it; of PiSSA and LoftQ, whose start is unique up to signs of singular vectors,
some weights of the merged model; of a model's own weights what training added to them, in float16
(sixteen rows of embeddings and heads, and no bias of keys, which softmax does not see).
"""
import inspect, json, os, re, sys, tempfile, warnings
from pathlib import Path
warnings.filterwarnings("ignore")
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import bitsandbytes, torch
from bitsandbytes import functional as bnb
from galore_torch import GaLoreAdamW
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.lora import layer as lora_layer
from peft.utils import loftq_utils
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForCausalLM, get_scheduler
from transformers.optimization import Adafactor
from transformers.trainer_pt_utils import get_parameter_names

GOLDEN = Path("..")
sys.path.insert(0, str(GOLDEN / "optim"))
from make_optim import GaLoreAdamW8bit

# peft has LoftQ computed on a GPU; the same lines, on CPU.
exec(inspect.getsource(loftq_utils.loftq_init).replace('"cuda"', '"cpu"'), vars(loftq_utils))
lora_layer.loftq_init = loftq_utils.loftq_init

torch.set_num_threads(1)
STEPS, DECAY, START = 10, 0.01, "runs/sft-lora/init"
ROWS = json.loads((GOLDEN / "runs/sft-lora/tokens.json").read_text())
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load(base):
    return AutoModelForCausalLM.from_pretrained(GOLDEN / base, dtype=torch.float32).eval()


def decayed(model):
    """As transformers' Trainer has it."""
    forbidden = ["bias", "layernorm", "rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    return set(get_parameter_names(model, [nn.LayerNorm], forbidden))


def trained(model):
    return [(n, p) for n, p in model.named_parameters() if p.requires_grad]


def groups(model, key=lambda name: None, options=lambda key: {}):
    """Parameters by decay, and by what else tells them apart."""
    names, result = decayed(model), {}
    for name, parameter in trained(model):
        group = result.setdefault((name in names, key(name)), [])
        group.append(parameter)
    return [{"params": each, "weight_decay": DECAY if decays else 0.0, **options(kind)}
            for (decays, kind), each in result.items()]


def train(model, optimizer):
    """Four rows a step in file order; completions only; clipped at 1."""
    schedule = get_scheduler("linear", optimizer, 1, STEPS)
    steps = []
    for step in range(STEPS):
        batch = [ROWS[(4 * step + i) % len(ROWS)] for i in range(4)]
        count = sum(label >= 0 for row in batch for label in row["labels"][1:])
        total = 0.0
        for row in batch:
            labels = torch.tensor(row["labels"][1:])
            logits = model(input_ids=torch.tensor([row["input_ids"]])).logits[0, -len(row["labels"]) : -1]
            loss = nn.functional.cross_entropy(logits, labels, reduction="sum") / count
            loss.backward()
            total += loss.item()
        norm = nn.utils.clip_grad_norm_([p for _, p in trained(model)], 1.0)
        rate = max(group["lr"] for group in optimizer.param_groups)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        steps.append({"loss": total, "grad_norm": norm.item(), "learning_rate": rate})
    return steps


def write(folder, run, steps, tensors):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/run.json", "w") as file:
        json.dump({**run, "steps": steps}, file, indent=1)
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, f"{folder}/final.safetensors")
    print(folder, [round(step["loss"], 5) for step in steps], flush=True)


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/adapter_model.safetensors")


def train_adapter(folder, run, model):
    steps = train(model, torch.optim.AdamW(groups(model), lr=run["learning_rate"]))
    write(folder, run, steps, saved(model))


def adapter(folder):
    """From the adapter of a folder; a computed prompt from the state of its network."""
    run = {"base": json.loads((folder / "run.json").read_text())["base"], "learning_rate": 2e-3}
    if (folder / "encoder.safetensors").exists():
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = False
        model = get_peft_model(load(run["base"]), config)
        model.prompt_encoder["default"].load_state_dict(load_file(folder / "encoder.safetensors"))
    else:
        model = PeftModel.from_pretrained(load(run["base"]), folder, is_trainable=True)
    train_adapter(folder, run, model.eval())


def dequantized(weight, kind):
    if kind == "int8":
        codes, scales, _ = bnb.int8_vectorwise_quant(weight.half())  # as Linear8bitLt does
        return codes.float() * scales[:, None] / 127
    packed, state = bnb.quantize_4bit(weight, blocksize=64, compress_statistics=True, quant_type=kind)
    return bnb.dequantize_4bit(packed, state).float()


def lora(name, kind=None):
    """Over the weights that bitsandbytes' quantization leaves, or over the model's own."""
    model = load("models/llama")
    if kind:
        for path, module in model.model.named_modules():
            if isinstance(module, nn.Linear):
                module.weight.data = dequantized(module.weight.data, kind)
    run = {"base": "models/llama", "learning_rate": 1e-2, "start": START, "quantization": kind}
    train_adapter(name, run, PeftModel.from_pretrained(model, GOLDEN / START, is_trainable=True))


def rank_stabilised():
    torch.manual_seed(5)
    config = LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules=["q_proj", "down_proj"],
                        init_lora_weights=False, task_type="CAUSAL_LM")
    model = get_peft_model(load("models/llama"), config)
    model.save_pretrained("rslora")
    os.remove("rslora/README.md")
    train_adapter("rslora", {"base": "models/llama", "learning_rate": 2e-3, "start": "methods/rslora"}, model)


def singular(name, init, **more):
    torch.manual_seed(5)
    settings = {"r": 4, "lora_alpha": 8, "init_lora_weights": init, **more}
    model = get_peft_model(load("models/llama"), LoraConfig(target_modules=LINEAR, task_type="CAUSAL_LM", **settings))
    steps = train(model, torch.optim.AdamW(groups(model), lr=2e-3))
    merged = model.merge_and_unload().state_dict()
    run = {"base": "models/llama", "learning_rate": 2e-3, "adapter": settings}
    write(name, run, steps, {k: v for k, v in merged.items() if re.search(r"(k|v|down)_proj", k)})


def whole(name, base, rate, parameters, make):
    model = load(base)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    steps = train(model, make(model, rate))
    difference = {}
    for n, p in model.named_parameters():
        if not n.endswith("c_attn.bias"):
            rows = 16 if re.search("embed_tokens|lm_head|wte|wpe", n) else p.shape[0]
            difference[n] = (p.detach() - before[n])[:rows].half()
    write(name, {"base": base, "learning_rate": rate, "parameters": parameters}, steps, difference)


def adamw_8bit(model, rate):
    """As transformers' Trainer makes it: embeddings' moments in float32."""
    manager = bitsandbytes.optim.GlobalOptimManager.get_instance()
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            manager.register_module_override(module, "weight", {"optim_bits": 32})
            manager.register_parameters(module.parameters())
            manager.override_config(module.weight, "optim_bits", 32)
    return bitsandbytes.optim.AdamW8bit(groups(model), lr=rate)


def galore(kind, rank):
    def make(model, rate):
        projected = {n + ".weight" for n, m in model.named_modules() if isinstance(m, nn.Linear)}
        options = {"rank": rank, "update_proj_gap": 200, "scale": 0.25, "proj_type": "std"}
        every = groups(model, key=lambda n: n in projected, options=lambda key: options if key else {})
        return kind(every, lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
    return make


def by_layer(model, rate, decay=0.7):
    """Howard and Ruder 2018: each layer's rate is that of the one above it, times a factor."""
    def height(name):
        layer = re.search(r"layers\.(\d+)\.", name)
        layers = model.config.num_hidden_layers
        return layers - int(layer[1]) if layer else layers + 1 if "embed_tokens" in name else 0
    return torch.optim.AdamW(groups(model, height, lambda h: {"lr": rate * decay**h}), lr=rate)


def main():
    for folder in sorted((GOLDEN / "adapters/training").iterdir()):
        if folder.is_dir():
            adapter(folder)
    lora("lora")
    for kind in ("nf4", "fp4", "int8"):
        lora(f"lora-{kind}", kind)
    rank_stabilised()
    singular("pissa", "pissa")
    singular("loftq", "loftq", loftq_config={"loftq_bits": 4, "loftq_iter": 1})
    whole("full", "models/llama", 2e-3, {}, lambda m, rate: torch.optim.AdamW(groups(m), lr=rate))
    whole("layerwise", "models/llama", 2e-3, {"layerwise_lr_decay": "0.7"}, by_layer)
    whole("adafactor", "models/llama", 2e-3, {"optim": "adafactor"},
          lambda m, rate: Adafactor(groups(m), lr=rate, scale_parameter=False, relative_step=False))
    whole("galore", "models/llama", 5e-3, {"optim": "galore_adamw", "optim_args": "rank=8"}, galore(GaLoreAdamW, 8))
    whole("galore-8bit", "models/llama", 5e-3, {"optim": "galore_adamw_8bit", "optim_args": "rank=16"},
          galore(GaLoreAdamW8bit, 16))
    whole("adamw-8bit", "models/gpt2", 1e-3, {"optim": "adamw_8bit"}, adamw_8bit)


if __name__ == "__main__":
    main()
