"""Steps of trl's GRPO and RLOO trainers over given completions and rewards, on CPU in float32.

usage: make_online.py GOLDEN   (the folder that holds models/llama and runs/sft-lora/init)
"""
import json, os, random, sys, tempfile, warnings

warnings.filterwarnings("ignore")
os.environ.update(HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1", TQDM_DISABLE="1")
import torch, transformers, trl
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoTokenizer, LlamaForCausalLM

golden = sys.argv[1]
out = os.path.dirname(os.path.abspath(__file__))
transformers.utils.logging.disable_progress_bar()
base = f"{golden}/models/llama"
tokenizer = AutoTokenizer.from_pretrained(base)
draw = random.Random(3)
GENERATIONS, PROMPTS, STEPS, LONGEST = 4, 2, 4, 7
texts = [r["prompt"] + "\n" for r in json.load(open(f"{golden}/preferences.json"))][: PROMPTS * STEPS]
common = dict(
    per_device_train_batch_size=4, gradient_accumulation_steps=2, max_steps=STEPS,
    learning_rate=5e-3, lr_scheduler_type="linear", warmup_steps=0, weight_decay=0.01,
    max_grad_norm=1.0, adam_epsilon=1e-5, logging_steps=1, report_to=[], save_strategy="no", bf16=False,
    use_cpu=True, seed=1, gradient_checkpointing=False, num_generations=GENERATIONS,
    max_completion_length=LONGEST, temperature=0.8, shuffle_dataset=False,
)


def completion():
    """Any tokens, sometimes ended by the end-of-sequence token (2)."""
    ids = [draw.randrange(4, 380) for _ in range(draw.randint(2, LONGEST))]
    return ids if len(ids) == LONGEST else ids[:-1] + [2]


def run(name, trainer_class, config_class, **settings):
    iterations = []  # what was written and scored, in order

    def rollout(prompts, trainer):
        made = {
            "prompt_ids": [tokenizer(p)["input_ids"] for p in prompts],
            "completion_ids": [completion() for _ in prompts],
            "logprobs": None,
            "score": [round(draw.gauss(0, 1), 3) for _ in prompts],
        }
        iterations.append({k: made[k] for k in ("prompt_ids", "completion_ids", "score")})
        return made

    def given(completions, score, **kwargs):
        return score

    policy = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(base, dtype=torch.float32),
        f"{golden}/runs/sft-lora/init", is_trainable=True,
    )
    trainer = trainer_class(
        model=policy, reward_funcs=given, rollout_func=rollout, processing_class=tokenizer,
        args=config_class(output_dir=tempfile.mkdtemp(), **common, **settings),
        train_dataset=Dataset.from_list([{"prompt": t} for t in texts]),
    )
    trainer.train()
    history = [x for x in trainer.state.log_history if "loss" in x]
    steps = [
        {k: v for k, v in x.items() if isinstance(v, (int, float)) and "time" not in k and "runtime" not in k}
        for x in history
    ]
    json.dump({"settings": {k: str(v) for k, v in settings.items()}, "iterations": iterations, "steps": steps},
              open(f"{out}/{name}.json", "w"), indent=1)
    weights = {k: v.detach().contiguous() for k, v in trainer.model.named_parameters() if v.requires_grad}
    save_file({k.replace(".default", ""): v for k, v in weights.items()}, f"{out}/{name}.safetensors")
    print(name, [(round(s["loss"], 5), round(s["grad_norm"], 4)) for s in steps])


run("grpo", trl.GRPOTrainer, trl.GRPOConfig, beta=0.04)
run("grpo-iterations", trl.GRPOTrainer, trl.GRPOConfig, num_iterations=2, loss_type="grpo",
    scale_rewards="none", epsilon=0.05, epsilon_high=0.1)
run("dr-grpo", trl.GRPOTrainer, trl.GRPOConfig, loss_type="dr_grpo", scale_rewards="batch",
    mask_truncated_completions=True)
run("gspo", trl.GRPOTrainer, trl.GRPOConfig, importance_sampling_level="sequence", loss_type="grpo",
    num_iterations=2, epsilon=0.01)
