"""Losses of trl that the other runs leave out: four steps each of trl's own trainers from the adapter in
dpo-sigmoid/init, in batches of four rows, so that what is sorted over a batch has something to sort.
Writes NAME/run.json. Usage: make_preference_runs.py GOLDEN, the folder above this one. trl 1.13.0, peft 0.21.0,
transformers 5.18.0, torch 2.13.0 on CPU in float32.

The weights at the end of dpo-discopop are of a run in float64: two in float32, on two machines, differ by 2e-4 in
one weight whose gradient is nearly zero, by the sign of which AdamW steps."""
import json, logging, os, sys, tempfile, warnings
os.environ.update(TRANSFORMERS_VERBOSITY="error", HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1", TQDM_DISABLE="1")
warnings.filterwarnings("ignore")
import torch, transformers, trl
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import save_file
from torch.utils.data import SequentialSampler
from trl.experimental.cpo import CPOConfig, CPOTrainer
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
GOLDEN = sys.argv[1]
BASE = f"{GOLDEN}/models/llama"
TOKENIZER = transformers.AutoTokenizer.from_pretrained(BASE)
ROWS = [{**r, "prompt": r["prompt"] + "\n"} for r in json.load(open(f"{GOLDEN}/preferences.json"))]
KEPT = ("loss", "grad_norm", "learning_rate", "kl", "rewards/", "logps/", "nll_loss")
ARGS = dict(per_device_train_batch_size=4, gradient_accumulation_steps=1, max_steps=4, learning_rate=2e-3,
            lr_scheduler_type="linear", warmup_steps=1, weight_decay=0.01, max_grad_norm=1.0)
COMMON = dict(output_dir=tempfile.mkdtemp(), logging_steps=1, report_to=[], save_strategy="no", bf16=False,
              use_cpu=True, seed=1, disable_tqdm=True, gradient_checkpointing=False, **ARGS)


def trained(trainer, config, rows, dtype=torch.float32, **settings):
    model = transformers.LlamaForCausalLM.from_pretrained(BASE, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, f"{GOLDEN}/runs/dpo-sigmoid/init", is_trainable=True).to(dtype)
    made = trainer(model=model, args=config(**{**COMMON, **settings}), train_dataset=Dataset.from_list(rows),
                   processing_class=TOKENIZER)
    type(made)._get_train_sampler = lambda self, *a, **k: SequentialSampler(self.train_dataset)
    made.train()
    return made


def run(name, trainer, config, rows, **settings):
    made = trained(trainer, config, rows, **settings)
    steps = [{k: v for k, v in s.items() if k.startswith(KEPT)} for s in made.state.log_history if "loss" in s]
    os.makedirs(f"{GOLDEN}/runs/{name}", exist_ok=True)
    with open(f"{GOLDEN}/runs/{name}/run.json", "w") as out:
        json.dump({"settings": settings, "args": ARGS, "steps": steps}, out, indent=1)
    print(name, [round(s["loss"], 6) for s in steps])


def dpo(name, **settings):
    run(name, trl.DPOTrainer, trl.DPOConfig, ROWS, beta=0.1, **settings)


dpo("dpo-aot-smoothed", loss_type=["aot"], label_smoothing=0.1)
dpo("dpo-aot_unpaired", loss_type=["aot_unpaired"], label_smoothing=0.1)
dpo("dpo-mixed", loss_type=["sigmoid", "bco_pair", "sft"], loss_weights=[0.8, 0.2, 1.0])
dpo("dpo-forward_kl", loss_type=["sigmoid"], f_divergence_type="forward_kl")
dpo("dpo-js_divergence", loss_type=["hinge"], f_divergence_type="js_divergence")
dpo("dpo-alpha_divergence", loss_type=["ipo"], f_divergence_type="alpha_divergence", f_alpha_divergence_coef=0.4)
judged = [{"prompt": r["prompt"], "completion": r["chosen" if i % 2 == 0 else "rejected"], "label": i % 2 == 0}
          for i, r in enumerate(ROWS)]
run("kto-apo_zero_unpaired", trl.KTOTrainer, trl.KTOConfig, judged, beta=0.1, loss_type="apo_zero_unpaired",
    desirable_weight=1.2, undesirable_weight=0.7)
run("kto-weighted", trl.KTOTrainer, trl.KTOConfig, judged, beta=0.5, desirable_weight=1.2, undesirable_weight=0.7)
run("simpo-cpo", CPOTrainer, CPOConfig, ROWS, loss_type="simpo", beta=2.0, simpo_gamma=1.0, cpo_alpha=0.5,
    label_smoothing=0.1, max_length=128)

exact = trained(trl.DPOTrainer, trl.DPOConfig, ROWS, torch.float64, beta=0.1, loss_type=["discopop"],
                per_device_train_batch_size=2, gradient_accumulation_steps=2).model
weights = {k.replace(".default", ""): v.float() for k, v in exact.state_dict().items() if ".default" in k}
save_file(weights, f"{GOLDEN}/runs/dpo-discopop/final.safetensors")
