"""Makes sampling.json: greedy answers by transformers with bias and penalty, and the likeliest tokens.

Run in this folder: python make_sampling.py. Made with transformers 5.18.0, torch 2.13.0 on CPU, float32.
"""

import json
import pathlib

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

MODEL = "../model"
PROMPT = "where is my order"
TOP = 5

torch.set_num_threads(1)
tokenizer = PreTrainedTokenizerFast.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
plain = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=1)[0, -1].item()
bias = {plain: -100.0, 40: 1.5}
out = model.generate(
    ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=16, return_dict_in_generate=True,
    output_logits=True, repetition_penalty=1.3, sequence_bias=[[[k], v] for k, v in bias.items()])
rows = [torch.log_softmax(row[0], -1) for row in out.logits]
new = out.sequences[0][ids.shape[1]:].tolist()
pathlib.Path("sampling.json").write_text(json.dumps({
    "prompt": PROMPT,
    "repetition_penalty": 1.3,
    "logit_bias": {str(k): v for k, v in bias.items()},
    "completion_token_ids": new,
    "completion": tokenizer.decode(new, skip_special_tokens=True),
    "log_probabilities": [float(row[id]) for row, id in zip(rows, new)],
    "top_token_ids": [torch.topk(row, TOP).indices.tolist() for row in rows],
    "top_log_probabilities": [torch.topk(row, TOP).values.tolist() for row in rows],
}, indent=1) + "\n")
