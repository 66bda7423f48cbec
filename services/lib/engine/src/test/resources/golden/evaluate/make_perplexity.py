"""Writes perplexity.json: the perplexity of a text as Hugging Face's guide reads it, in windows.

Run in this folder: python make_perplexity.py. Made with transformers 5.18.0, torch 2.13.0 on CPU, float32.
https://huggingface.co/docs/transformers/perplexity. The guide weighs each window's mean loss by one
token less than it is the mean of; here each token counts once.
"""

import json
import pathlib

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

here = pathlib.Path(__file__).parent
folder = here.parent / "models" / "llama"
model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
text = " ".join(f"The Licensor, number {i}, grants You a copyright license." for i in range(9))
ids = torch.tensor([tokenizer(text).input_ids])
cases = []
for max_length, stride in [(32, 16), (32, 32), (24, 7), (64, 1)]:
    nll, count, previous_end = 0.0, 0, 0
    for begin in range(0, ids.size(1), stride):
        end = min(begin + max_length, ids.size(1))
        input_ids = ids[:, begin:end]
        targets = input_ids.clone()
        targets[:, : -(end - previous_end)] = -100
        with torch.no_grad():
            loss = model(input_ids, labels=targets).loss
        learned = int((targets[:, 1:] != -100).sum())
        nll, count = nll + loss.double().item() * learned, count + learned
        previous_end = end
        if end == ids.size(1):
            break
    cases.append(
        dict(max_length=max_length, stride=stride, tokens=count, perplexity=float(torch.tensor(nll / count).exp()))
    )
(here / "perplexity.json").write_text(json.dumps(dict(text=text, tokens=ids.size(1), cases=cases), indent=1) + "\n")
print(cases)
