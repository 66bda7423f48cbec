"""trl's side of a policy that a reward model teaches:

peer_policy.py ALGORITHM POLICY REWARD PROMPTS SEED RATE BETA STEPS [HELD_OUT [COUNT]]

ALGORITHM is grpo or rloo. Reads PROMPTS/train-SEED.jsonl in its order, 8 prompts a step and 4 completions of
24 tokens each, and learns by LoRA of rank 16 on all linear layers, in float32. The reward model is a BERT with a
pooler and a head for one number over the mean of all tokens; it reads prompt and completion as one text. Prints a line
of JSON for each step, and before the first, after every tenth and after the last step what COUNT prompts of
HELD_OUT (held-out.jsonl) give, one completion each: reward, divergence from the policy at the start (sum of
log-ratios of a completion, mean over completions), their standard errors, and length.
"""

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BertModel, TrainerCallback, set_seed
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

TOKENS = 24
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Reward:
    def __init__(self, folder):
        weights = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = BertModel(AutoConfig.from_pretrained(folder), add_pooling_layer=False)
        own = {name[5:]: value for name, value in weights.items() if name.startswith("bert.")}
        missing = self.model.load_state_dict(own, strict=False).missing_keys
        assert all("position_ids" in name for name in missing), missing
        self.model = self.model.to(DEVICE).eval()
        self.head = {name: value.to(DEVICE) for name, value in weights.items() if not name.startswith("bert.enc")}

    @torch.no_grad()
    def scores(self, texts):
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt").to(DEVICE)
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        pooled = torch.tanh(mean @ self.head["bert.pooler.dense.weight"].T + self.head["bert.pooler.dense.bias"])
        return pooled @ self.head["classifier.weight"][0] + self.head["classifier.bias"]

    def __call__(self, prompts, completions, **_):
        return self.scores([p + c for p, c in zip(prompts, completions)]).tolist()

    __name__ = "reward"


def log_probs(model, ids, mask, count):
    logits = model(input_ids=ids, attention_mask=mask).logits[:, -count - 1 : -1]
    return torch.log_softmax(logits.float(), -1).gather(-1, ids[:, -count:, None])[..., 0]


@torch.no_grad()
def evaluate(model, tokenizer, reward, prompts):
    model.eval()
    read = tokenizer(prompts, padding=True, padding_side="left", return_tensors="pt").to(DEVICE)
    ids = model.generate(
        **read, max_new_tokens=TOKENS, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, pad_token_id=tokenizer.pad_token_id
    )
    start = read["input_ids"].shape[1]
    written = ids[:, start:]
    ends = written == tokenizer.eos_token_id
    counted = (ends.cumsum(1) - ends.int() == 0).float()
    mask = torch.cat([read["attention_mask"].float(), counted], 1).long()
    own = log_probs(model, ids, mask, written.shape[1])
    with model.disable_adapter():
        base = log_probs(model, ids, mask, written.shape[1])
    kl = ((own - base) * counted).sum(1)
    texts = [tokenizer.decode(row[keep.bool()], skip_special_tokens=True) for row, keep in zip(written, counted)]
    scores = reward.scores([p + c for p, c in zip(prompts, texts)])
    root = len(prompts) ** 0.5
    model.train()
    return {
        "eval_reward": scores.mean().item(),
        "eval_reward_se": scores.std().item() / root,
        "eval_kl": kl.mean().item(),
        "eval_kl_se": kl.std().item() / root,
        "eval_length": counted.sum(1).mean().item(),
        "samples": [p + "|" + c for p, c in zip(prompts, texts)][:8],
    }


class Watch(TrainerCallback):
    def __init__(self, said, look):
        self.said = said
        self.look = look

    def on_log(self, args, state, control, logs=None, **_):
        kept = ("reward", "kl", "loss", "grad_norm", "learning_rate", "completions/mean_length", "entropy", "step_time")
        self.said({"step": state.global_step, **{k: float(logs[k]) for k in kept if k in logs}})

    def on_train_begin(self, args, state, control, **_):
        self.look(0)

    def on_step_end(self, args, state, control, **_):
        if state.global_step % 10 == 0 or state.global_step == args.max_steps:
            self.look(state.global_step)


def main(algorithm, policy, reward, prompts, seed, rate, beta, steps, held_out="held-out.jsonl", count="200"):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    set_seed(int(seed))
    read = lambda name: [json.loads(line)["prompt"] for line in (Path(prompts) / name).read_text().splitlines()]
    tokenizer = AutoTokenizer.from_pretrained(policy)
    model = AutoModelForCausalLM.from_pretrained(policy, dtype=torch.float32).to(DEVICE)
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"))
    scorer = Reward(Path(reward))
    tuned = read(held_out)[: int(count)]
    where = {"algorithm": algorithm, "seed": int(seed), "rate": float(rate), "beta": float(beta)}

    def said(line):
        print(json.dumps({**where, **line}), flush=True)

    def look(step):
        chance = torch.get_rng_state(), torch.cuda.get_rng_state() if DEVICE == "cuda" else None
        torch.manual_seed(1000 + int(seed))
        said({"step": step, **evaluate(model, tokenizer, scorer, tuned)})
        torch.set_rng_state(chance[0])
        if chance[1] is not None:
            torch.cuda.set_rng_state(chance[1])

    common = dict(
        output_dir="peer-out",
        per_device_train_batch_size=32,
        num_generations=4,
        max_completion_length=TOKENS,
        temperature=1.0,
        beta=float(beta),
        learning_rate=float(rate),
        lr_scheduler_type="constant",
        weight_decay=0.0,
        max_grad_norm=1.0,
        max_steps=int(steps),
        shuffle_dataset=False,
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=int(seed),
        use_cpu=DEVICE == "cpu",
    )
    trainer, config = (GRPOTrainer, GRPOConfig) if algorithm == "grpo" else (RLOOTrainer, RLOOConfig)
    trainer(
        model=model,
        reward_funcs=scorer,
        args=config(**common),
        train_dataset=Dataset.from_list([{"prompt": p} for p in read(f"train-{seed}.jsonl")]),
        processing_class=tokenizer,
        callbacks=[Watch(said, look)],
    ).train()


if __name__ == "__main__":
    main(*sys.argv[1:])
