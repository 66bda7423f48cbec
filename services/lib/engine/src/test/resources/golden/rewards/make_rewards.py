"""Training runs of reward models on encoders, float32 on CPU.

Usage: python make_rewards.py, in this folder. Made with transformers 5.18.0, torch 2.13.0.

A run is rows.jsonl and run.json: settings, the loss of each step, and the scores that texts of the rows
get before the first step and after the last one. Models are AutoModelForSequenceClassification; mean
pooling, which its BERT has not, is written out here. No dropout; rows in the order of the file; AdamW,
clipping and the schedule are those of transformers' Trainer. Losses: least squares; Bradley-Terry with
margin and centring as trl's RewardTrainer has it; CORN (arXiv 2111.08851) task by task, as its authors'
corn_loss computes it.
"""
import json, os
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")
import torch
import torch.nn.functional as F
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, get_scheduler

torch.set_num_threads(1)
MODELS = "../models/"
PROMPTS = ["My parcel is late.", "Where is the account page?", "The password looks wrong", "Is it closed?"]
ANSWERS = ["We are sorry and will do better", "Meh", "At the top right", "Why? Nobody knows", "Set a new one",
           "It works.", "Great, thanks for telling us!", "No"]
ARGS = dict(per_device_train_batch_size=4, max_steps=10, learning_rate=1e-3, warmup_steps=1,
            lr_scheduler_type="linear", weight_decay=0.01, max_grad_norm=1.0, seed=1)
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.0)


def logits(model, tok, texts, pooling):
    batch = tok([a for a, _ in texts], [b for _, b in texts] if texts[0][1] else None, padding=True,
                truncation=True, max_length=min(tok.model_max_length, 64), return_tensors="pt")
    if pooling == "cls":
        return model(**batch).logits
    hidden = model.bert(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return model.classifier(torch.tanh(model.bert.pooler.dense(mean)))


def corn(logits, levels):
    losses, terms = 0, 0
    for j in range(logits.shape[1]):
        reached = levels >= j
        if reached.any():
            target = (levels[reached] > j).to(logits.dtype)
            losses = losses + F.binary_cross_entropy_with_logits(logits[reached, j], target, reduction="sum")
            terms += int(reached.sum())
    return losses / terms


def expected(logits, values):
    if values is None:
        return logits[:, 0]
    above = torch.cumprod(torch.sigmoid(logits), dim=1)
    steps = torch.tensor([b - a for a, b in zip(values, values[1:])])
    return values[0] + (above * steps).sum(1)


def texts_of(row):
    if "text" in row:
        return [(row["text"], "")]
    if "chosen" in row:
        return [(row["prompt"], row["chosen"]), (row["prompt"], row["rejected"])]
    return [(row["prompt"], row["completion"])]


def run(name, base, rows, parameters, pooling="cls", levels=None):
    os.makedirs(name, exist_ok=True)
    # As BERT's own tokenizer has it: the two texts of a pair are told apart.
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    tok = AutoTokenizer.from_pretrained(MODELS + base, model_input_names=inputs)
    config = AutoConfig.from_pretrained(MODELS + base, **NO_DROPOUT)
    model = AutoModelForSequenceClassification.from_pretrained(MODELS + base, config=config, dtype=torch.float32)
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    kept = {id(p) for p in plain}
    decayed = [p for p in model.parameters() if id(p) not in kept]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": ARGS["weight_decay"]},
                                   {"params": plain, "weight_decay": 0.0}], lr=ARGS["learning_rate"])
    schedule = get_scheduler("linear", optimizer, ARGS["warmup_steps"], ARGS["max_steps"])
    every = [text for row in rows for text in texts_of(row)]

    def scores():
        model.eval()
        with torch.no_grad():
            return expected(logits(model, tok, every, pooling), levels).tolist()

    before, losses, at = scores(), [], 0
    model.train()
    for _ in range(ARGS["max_steps"]):
        part = rows[at:at + ARGS["per_device_train_batch_size"]]
        at = (at + len(part)) % len(rows)
        z = logits(model, tok, [text for row in part for text in texts_of(row)], pooling)
        if "chosen" in part[0]:
            c, r = z[0::2, 0], z[1::2, 0]
            margin = torch.tensor([row.get("margin", 0.0) for row in part])
            loss = (-F.logsigmoid(c - r - margin) + parameters["center_rewards_coefficient"] * (c + r) ** 2).mean()
        elif levels:
            given = torch.tensor([levels.index(row["score"]) for row in part])
            loss = corn(z, given)
        else:
            loss = F.mse_loss(z[:, 0], torch.tensor([row["score"] for row in part]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), ARGS["max_grad_norm"])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    with open(f"{name}/rows.jsonl", "w") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)
    json.dump({"model": base, "args": {**ARGS, **parameters}, "losses": losses, "texts": every,
               "before": before, "after": scores()}, open(f"{name}/run.json", "w"), indent=1)
    print(name, [round(x, 4) for x in losses], flush=True)


texts = [{"text": f"{a} {b}".strip(), "score": round(((i * 7) % 16) / 15, 4)}
         for i, (a, b) in enumerate((p, a) for p in PROMPTS for a in ANSWERS[::2])]
answers = [{"prompt": PROMPTS[i % 4], "completion": ANSWERS[(3 * i) % 8], "score": round(((i * 5) % 16) / 15, 4)}
           for i in range(16)]
pairs = [{"prompt": PROMPTS[i % 4], "chosen": ANSWERS[i % 8], "rejected": ANSWERS[(i + 3) % 8],
          "margin": round(0.1 * (i % 3), 1)} for i in range(16)]
stars = [{"text": row["text"], "score": float([1, 2, 3, 4, 5][(i * 7) % 5])} for i, row in enumerate(texts)]
run("scores", "bert-regression", answers, {})
run("mean", "bert-regression", texts, {"classifier_pooling": "mean"}, pooling="mean")
run("pairs", "bert-regression", pairs, {"center_rewards_coefficient": 0.01})
run("levels", "bert-multilabel", stars, {"loss_type": "corn"}, levels=[1.0, 2.0, 3.0, 4.0, 5.0])
