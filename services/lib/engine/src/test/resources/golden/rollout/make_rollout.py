"""Reference results for learning from rollouts: make_rollout.py TRL26 VERL

Writes expected.json beside this file. Runs with trl 1.13.0 and torch 2.13.0 on CPU, in float64. TRL26 and VERL
are folders with the unpacked wheels of trl 0.26.0 (the last with a PPO trainer) and verl 0.9.1; of these, single
functions and lines are run, so nothing that they depend on is needed.

Nothing is transcribed: where a library computes something within a long method, its own lines are cut out by
their first and last words and run on tensors of this script. Rows are padded here with numbers that must not
matter, and written without padding.
"""

import ast
import inspect
import json
import math
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from trl.experimental.bco import bco_trainer
from trl.rewards import get_soft_overlong_punishment
from trl.trainer import grpo_trainer, rloo_trainer
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.rloo_trainer import RLOOTrainer

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
torch.Tensor.float = torch.Tensor.double  # trl's metrics go through float32
PPO = (Path(sys.argv[1]) / "trl/experimental/ppo/ppo_trainer.py").read_text()
VERL = (Path(sys.argv[2]) / "verl/trainer/ppo/core_algos.py").read_text()
B, T, EOS, PAD = 6, 7, 1, 0
LENGTHS = torch.tensor([7, 1, 4, 7, 3, 5])
MASK = (torch.arange(T) < LENGTHS[:, None]).int()
out = {}


def defined(source, *names):
    """Functions and classes of a source, without decorators, by name."""
    space = {"torch": torch, "np": np, "defaultdict": defaultdict, "Optional": __import__("typing").Optional,
             "AlgoConfig": object}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names:
            node.decorator_list = []
            exec(compile(ast.Module([node], []), node.name, "exec"), space)
    return SimpleNamespace(**{name: space[name] for name in names}), space


def lines(source, first, last, space):
    """Runs the lines from the first that starts with some words to the next that starts with others."""
    rows = source.splitlines()
    start = next(i for i, row in enumerate(rows) if row.strip().startswith(first))
    end = next(i for i in range(start, len(rows)) if rows[i].strip().startswith(last))
    indent = len(rows[start]) - len(rows[start].lstrip())
    while end + 1 < len(rows) and rows[end + 1].strip() and (
            len(rows[end + 1]) - len(rows[end + 1].lstrip()) > indent or rows[end + 1].strip() in (")", "]")):
        end += 1
    exec(textwrap.dedent("\n".join(rows[start:end + 1])), space)


def ragged(x, mask=MASK):
    return [[v.item() for v, m in zip(row, keep) if m] for row, keep in zip(x.detach(), mask)]


def plain(x):
    """Numbers of a tensor, null for NaN."""
    return [None if math.isnan(v) else v for v in x.tolist()]


def spoiled(x):
    """Padding that must not matter."""
    return torch.where(MASK.bool(), x, torch.randn(B, T) * 3)


def log_probs():
    return -3 * torch.rand(B, T)


ppo, ppo_space = defined(PPO, "masked_mean", "masked_var", "masked_whiten")

# Whitening
x = spoiled(torch.randn(B, T) * 2 + 1)
out["whiten"] = {"rows": ragged(x), "shifted": ragged(ppo.masked_whiten(x, MASK.bool())),
                 "kept": ragged(ppo.masked_whiten(x, MASK.bool(), shift_mean=False))}

# Rewards of tokens and generalised advantages: lines of PPOTrainer.train, with the end-of-sequence token as padding,
# so that the score lands on that token. Its divergence is masked there; it is made 0 here.
ended = torch.tensor([True, True, True, False, True, True])
responses = torch.where(MASK.bool(), 5, EOS)
responses[ended, LENGTHS[ended] - 1] = EOS
out["ppo_rewards"] = []
for kl_estimator, penalty, whiten, gamma, lam in [("k1", None, False, 1.0, 0.95), ("k3", 1.5, False, 0.97, 0.9),
                                                  ("k1", 0.5, True, 1.0, 1.0)]:
    old, values = log_probs(), torch.randn(B, T)
    ref = old + torch.randn(B, T) * 0.4
    at_end = ended[:, None] & (torch.arange(T) == LENGTHS[:, None] - 1)
    ref = torch.where(at_end, old, ref)
    scores = torch.randn(B)
    args = SimpleNamespace(missing_eos_penalty=penalty, kl_estimator=kl_estimator, kl_coef=0.05,
                           whiten_rewards=whiten, gamma=gamma, lam=lam)
    case = {"kl_estimator": kl_estimator, "missing_eos_penalty": penalty or 0, "whiten_rewards": whiten,
            "gamma": gamma, "lam": lam, "kl_coef": 0.05, "log_probs": ragged(old), "reference": ragged(ref),
            "values": ragged(values), "scores": scores.tolist(), "ended": ended.tolist()}
    space = dict(ppo_space, INVALID_LOGPROB=1.0, args=args, responses=responses, postprocessed_responses=responses,
                 self=SimpleNamespace(args=args, processing_class=SimpleNamespace(eos_token_id=EOS)),
                 logprobs=old, ref_logprobs=ref, values=values, scores=scores.clone(),
                 sequence_lengths=torch.where(ended, LENGTHS - 2, LENGTHS - 1))
    lines(PPO, "contain_eos_token = ", "returns = advantages + values", space)
    lines(PPO, "mean_kl = ", "mean_kl = ", space)
    lines(PPO, "mean_non_score_reward = ", "rlhf_reward = ", space)
    case |= {"rewards": ragged(space["rewards"]), "advantages": ragged(space["advantages"]),
             "returns": ragged(space["returns"]), "objective/kl": space["mean_kl"].item(),
             "objective/non_score_reward": space["mean_non_score_reward"].item(),
             "objective/rlhf_reward": space["rlhf_reward"].item(), "objective/scores": space["scores"].mean().item()}
    out["ppo_rewards"].append(case)

# The losses of PPO: lines of PPOTrainer.train
out["ppo_losses"] = []
for cliprange, cliprange_value, vf_coef in [(0.2, 0.2, 0.1), (0.1, 0.5, 1.0)]:
    new_logprobs = spoiled(log_probs()).requires_grad_()
    vpred_temp = torch.randn(B, T + 1, 1).requires_grad_()
    raw_logprobs = new_logprobs
    old = spoiled(new_logprobs.detach() + torch.randn(B, T) * 0.3)
    values, returns, advantages = (spoiled(torch.randn(B, T)) for _ in range(3))
    pads = ~MASK.bool()
    args = SimpleNamespace(cliprange=cliprange, cliprange_value=cliprange_value, vf_coef=vf_coef)
    space = dict(ppo_space, INVALID_LOGPROB=1.0, args=args, new_logprobs=new_logprobs, vpred_temp=vpred_temp,
                 context_length=1, padding_mask=pads, padding_mask_p1=pads, micro_batch_inds=torch.arange(B),
                 mb_logprobs=old.masked_fill(pads, 1.0), mb_values=values.masked_fill(pads, 0), mb_return=returns,
                 mb_advantage=advantages.masked_fill(pads, 0))
    lines(PPO, "new_logprobs = torch.masked_fill(", "loss = pg_loss", space)
    lines(PPO, "pg_clipfrac = ", "pg_clipfrac = ", space)
    lines(PPO, "approxkl = ", "approxkl = ", space)
    space["loss"].backward()
    padded = B * T / MASK.sum().item()  # trl's mean of approxkl takes in the padding, where it is 0
    out["ppo_losses"].append({
        "cliprange": cliprange, "cliprange_value": cliprange_value, "vf_coef": vf_coef,
        "log_probs": ragged(raw_logprobs), "old_log_probs": ragged(old), "advantages": ragged(advantages),
        "values": ragged(vpred_temp[:, :-1, 0]), "old_values": ragged(values), "returns": ragged(returns),
        "loss/policy_avg": space["pg_loss"].item(), "loss/value_avg": space["vf_loss"].item(),
        "policy/clipfrac_avg": space["pg_clipfrac"].item(), "val/clipfrac_avg": space["vf_clipfrac"].item(),
        "policy/approxkl_avg": space["approxkl"].item() * padded,
        "policy_gradient": ragged(raw_logprobs.grad), "value_gradient": ragged(vpred_temp.grad[:, :-1, 0]),
    })


def trainer(log_probs, **settings):
    """What _compute_loss of trl's trainers needs of a trainer."""
    accelerator = SimpleNamespace(num_processes=1, reduce=lambda x, reduction: x, gather=lambda x: x)
    return SimpleNamespace(**{
        "top_entropy_quantile": 1.0, "off_policy_mask_threshold": None, "aux_loss_enabled": False,
        "_entropy_bonus_enabled": False, "use_vllm": False, "vllm_importance_sampling_correction": True,
        "model": SimpleNamespace(training=True), "accelerator": accelerator, "beta": 0.0,
        "_metrics": defaultdict(lambda: defaultdict(list)), "current_gradient_accumulation_steps": 1,
        "_get_per_token_logps_and_entropies": lambda *a, **k: (log_probs, torch.zeros_like(log_probs), None)}
        | settings)


def means(metrics):
    return {name: values[0] for name, values in metrics["train"].items() if "mean" in name or name == "kl"}


# GRPO and its kin: GRPOTrainer._compute_loss
new = spoiled(log_probs())
old = spoiled(new + torch.randn(B, T) * 0.4)
ref = spoiled(new + torch.randn(B, T) * 0.5)
advantages = torch.randn(B)
weights = spoiled(torch.rand(B, T) * 2)
grpo = {"log_probs": ragged(new), "old_log_probs": ragged(old), "reference": ragged(ref),
        "advantages": advantages.tolist(), "weights": ragged(weights), "cases": []}
for loss_type, level, delta, beta, weighted, steps, steps_per_generation in [
    ("dapo", "token", None, 0.0, False, 1, 1), ("dapo", "token", 1.5, 0.04, True, 1, 1),
    ("dapo", "token", None, 0.1, False, 1, 3), ("dapo", "sequence", None, 0.04, True, 3, 3),
    ("grpo", "token", None, 0.04, False, 1, 1), ("grpo", "sequence", None, 0.0, False, 1, 1),
    ("grpo", "token", 1.4, 0.0, True, 2, 2), ("bnpo", "token", None, 0.04, False, 3, 3),
    ("bnpo", "sequence", 1.3, 0.0, False, 1, 1), ("dr_grpo", "token", None, 0.0, False, 2, 2),
    ("dr_grpo", "token", 1.6, 0.2, True, 1, 1), ("dr_grpo", "sequence", None, 0.04, False, 1, 1),
]:
    # One step of `steps` micro-batches; with more steps_per_generation the rest belongs to later steps.
    size = B // steps_per_generation
    gradient, loss = torch.zeros(B, T), 0
    for start in range(0, size * steps, size):
        part = slice(start, start + size)
        leaf = new[part].clone().requires_grad_()
        given = trainer(leaf, loss_type=loss_type, importance_sampling_level=level, beta=beta, epsilon_low=0.2,
                        epsilon_high=0.28, max_completion_length=T, current_gradient_accumulation_steps=steps,
                        use_vllm=weighted, args=SimpleNamespace(delta=delta, use_bias_correction_kl=False,
                                                                steps_per_generation=steps_per_generation))
        ids = torch.zeros(size, T, dtype=torch.long)
        share = GRPOTrainer._compute_loss(given, None, {
            "prompt_ids": ids, "prompt_mask": ids, "completion_ids": ids, "completion_mask": MASK[part],
            "advantages": advantages[part], "old_per_token_logps": old[part], "ref_per_token_logps": ref[part],
            "importance_sampling_ratio": weights[part], "num_items_in_batch": MASK.sum()})
        share.backward()
        loss += share.item()
        gradient[part] = leaf.grad
    rows = size * steps
    grpo["cases"].append({
        "loss_type": loss_type, "importance_sampling_level": level, "delta": delta, "beta": beta,
        "weighted": weighted, "epsilon": 0.2, "epsilon_high": 0.28, "max_completion_length": T, "rows": rows,
        "micro_batch": size, "loss": loss, "gradient": ragged(gradient[:rows], MASK[:rows]),
        "metrics": means(given._metrics) if steps == 1 else {}})
out["grpo"] = grpo

# RLOO: RLOOTrainer._compute_loss
new = spoiled(log_probs())
old = spoiled(new + torch.randn(B, T) * 0.15)
leaf = new.clone().requires_grad_()
given = trainer(leaf, epsilon_low=0.2, epsilon_high=0.28)
loss = RLOOTrainer._compute_loss(given, None, {
    "prompt_ids": torch.zeros(B, 1), "prompt_mask": torch.zeros(B, 1), "completion_ids": torch.zeros(B, T),
    "completion_mask": MASK, "advantages": advantages, "old_logps": (old * MASK).sum(1)})
loss.backward()
out["rloo"] = {"log_probs": ragged(new), "old_log_probs": ragged(old), "advantages": advantages.tolist(),
               "epsilon": 0.2, "epsilon_high": 0.28, "loss": loss.item(), "gradient": ragged(leaf.grad),
               "metrics": means(given._metrics)}

# Advantages of completions: lines of trl's _generate_and_score_completions
GRPO_SOURCE, RLOO_SOURCE = inspect.getsource(grpo_trainer), inspect.getsource(rloo_trainer)
nan = math.nan
rewards = torch.tensor([1.0, 0.5, -2.0, 3.0, 0.7, 0.7, 0.7, 0.7, nan, 0.1, 0.9, -0.4, nan, nan, 1.0, nan])
out["group_relative"] = {"rewards": plain(rewards), "num_generations": 4, "cases": []}
for scale in ["group", "batch", "none"]:
    space = dict(torch=torch, nanstd=grpo_trainer.nanstd, rewards_per_func=rewards[:, None], device="cpu",
                 unscorable_mask=torch.isnan(rewards), num_generations=4,
                 self=SimpleNamespace(multi_objective_aggregation="sum_then_normalize", scale_rewards=scale,
                                      reward_weights=torch.ones(1)))
    lines(GRPO_SOURCE, 'if self.multi_objective_aggregation == "sum_then_normalize":', "is_std_zero = ", space)
    lines(GRPO_SOURCE, "advantages = torch.nan_to_num(", "advantages = torch.nan_to_num(", space)
    out["group_relative"]["cases"].append({"scale_rewards": scale, "advantages": plain(space["advantages"]),
                                           "is_std_zero": space["is_std_zero"][::4].tolist()})
out["leave_one_out"] = {"rewards": plain(rewards), "num_generations": 4, "cases": []}
old16, ref16 = -3 * torch.rand(16, T), -3 * torch.rand(16, T)
mask16 = (torch.arange(T) < torch.randint(1, T + 1, (16,))[:, None]).int()
out["leave_one_out"] |= {"log_probs": ragged(old16, mask16), "reference": ragged(ref16, mask16)}
for beta, normalize, clip in [(0.0, False, None), (0.05, False, [-0.9, 0.9]), (0.05, True, None)]:
    space = dict(torch=torch, nanstd=rloo_trainer.nanstd, rewards_per_func=rewards[:, None].clone(), device="cpu",
                 unscorable_mask=torch.isnan(rewards), num_generations=4, gather=lambda x: x,
                 old_per_token_logps=old16, ref_per_token_logps=ref16, completion_mask=mask16,
                 self=SimpleNamespace(beta=beta, normalize_advantages=normalize, reward_clip_range=clip,
                                      reward_weights=torch.ones(1)))
    lines(RLOO_SOURCE, "# Apply weights to each reward function's output and sum", "is_std_zero = ", space)
    out["leave_one_out"]["cases"].append({
        "beta": beta, "normalize_advantages": normalize, "reward_clip": clip and clip[1],
        "advantages": plain(space["advantages"]), "is_std_zero": space["is_std_zero"].tolist()})

# Importance weights: lines of the same
old, sampling = log_probs(), log_probs()
sampling[0, 2] = nan
out["importance_weights"] = {"old": ragged(old), "sampling": [[None if math.isnan(v) else v for v in row]
                                                             for row in ragged(sampling)], "cases": []}
for mode in ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"]:
    space = dict(torch=torch, math=math, completion_mask=MASK, tool_mask=None, old_per_token_logps=old,
                 sampling_per_token_logps=sampling,
                 self=SimpleNamespace(use_vllm=True, vllm_importance_sampling_correction=True,
                                      vllm_importance_sampling_mode=mode, vllm_importance_sampling_clip_min=None,
                                      vllm_importance_sampling_clip_max=3.0))
    lines(GRPO_SOURCE, "# Compute the importance sampling ratio when using vLLM", "raise ValueError(", space)
    out["importance_weights"]["cases"].append(
        {"mode": mode, "max": 3.0, "weights": ragged(space["vllm_importance_sampling_ratio"].expand(B, T))})

# REINFORCE++ and the controller of the divergence: functions of verl
core, core_space = defined(VERL, "compute_reinforce_plus_plus_outcome_advantage", "AdaptiveKLController",
                           "compute_reinforce_plus_plus_baseline_outcome_advantage", "compute_gae_advantage_return")
core_space["verl_F"] = ppo  # verl's masked_whiten is trl's with 1e-8 beside the count of tokens
x, values = spoiled(torch.randn(B, T)), spoiled(torch.randn(B, T))
advantages, returns = core.compute_reinforce_plus_plus_outcome_advantage(
    x.clone(), MASK, config=SimpleNamespace(gamma=0.98))
out["reinforce_plus_plus"] = {"rewards": ragged(x), "gamma": 0.98, "advantages": ragged(advantages),
                              "returns": ragged(returns)}
scores = torch.randn(B)
last = torch.where(torch.arange(T) == LENGTHS[:, None] - 1, scores[:, None], torch.zeros(()))
advantages, _ = core.compute_reinforce_plus_plus_baseline_outcome_advantage(last, MASK, np.arange(B) // 3)
out["reinforce_plus_plus_baseline"] = {"rewards": scores.tolist(), "num_generations": 3,
                                       "lengths": LENGTHS.tolist(), "advantages": ragged(advantages)}
advantages, returns = core.compute_gae_advantage_return(x, values, MASK, 0.9, 0.8)
out["gae"] = {"rewards": ragged(x), "values": ragged(values), "gamma": 0.9, "lam": 0.8,
              "whitened": ragged(advantages), "returns": ragged(returns)}
controller = core.AdaptiveKLController(init_kl_coef=0.2, target_kl=6.0, horizon=1000)
out["kl_controller"] = {"init_kl_coef": 0.2, "target_kl": 6.0, "horizon": 1000, "episodes": 64, "steps": []}
for kl in [0.0, 3.5, 5.5, 6.0, 6.7, 20.0, -1.0]:
    controller.update(kl, 64)
    out["kl_controller"]["steps"].append({"kl": kl, "coefficient": controller.value})

# Running moments, in double precision, of trl's BCO trainer; and the punishment of long completions
space = dict(vars(bco_trainer))
exec(inspect.getsource(bco_trainer.RunningMoments), space)
moments = space["RunningMoments"](SimpleNamespace(use_distributed=False))
out["running_moments"] = []
for size in [4, 1, 9]:
    xs = torch.randn(size) * 3 + 2
    moments.update(xs)
    out["running_moments"].append({"scores": xs.tolist(), "mean": moments.mean, "std": moments.std})
punish = get_soft_overlong_punishment(20, 6)
out["soft_overlong"] = {"max_completion_length": 20, "soft_punish_cache": 6,
                        "punishments": punish([[0] * n for n in range(24)])}

Path(__file__).with_name("expected.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
