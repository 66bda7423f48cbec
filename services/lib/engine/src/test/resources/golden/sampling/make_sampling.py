"""Makes expected.json: what the logits processors of transformers leave of a distribution.

Run in this folder: python make_sampling.py. Made with transformers 5.18.0, torch 2.13.0 on CPU, float32.
The frequency and presence penalties, which transformers has not, are vLLM's formula.
"""

import json
import pathlib

import torch
from transformers import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
                          SequenceBiasLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

torch.manual_seed(5)
V = 120
rows = {
    "normal": (torch.randn(V) * 3).tolist(),
    "flat": (torch.randn(V) * 0.05).tolist(),
    "peaked": (torch.randn(V) * 9).tolist(),
    # Every value many times, as bfloat16 has it.
    "ties": (torch.randint(-6, 7, (V,)) / 2).tolist(),
    # Padding of the vocabulary that the model never writes.
    "holes": [float("-inf") if i % 3 == 0 else x for i, x in enumerate((torch.randn(V) * 2).tolist())],
    # Probabilities 0.5, 0.125 four times: top-p 0.5 and 0.75 end on a boundary.
    "boundary": torch.log(torch.tensor([0.125, 0.5, 0.125, 0.125, 0.125])).tolist(),
}
prompt = [7, 9, 9, 30, 4]
written = [11, 9, 11, 11, 2]
cases = []


def frequency_and_presence(scores, frequency, presence):
    for token in set(written):
        scores[0, token] -= frequency * written.count(token) + presence
    return scores


def case(row, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0, presence_penalty=0.0,
         frequency_penalty=0.0, logit_bias=None):
    scores = torch.tensor([rows[row]])
    ids = torch.tensor([prompt + written])
    if logit_bias:
        scores = SequenceBiasLogitsProcessor([[[k], float(v)] for k, v in logit_bias.items()])(ids, scores)
    if repetition_penalty != 1:
        scores = RepetitionPenaltyLogitsProcessor(repetition_penalty)(ids, scores)
    if frequency_penalty or presence_penalty:
        scores = frequency_and_presence(scores.clone(), frequency_penalty, presence_penalty)
    warpers = LogitsProcessorList()
    if temperature != 1:
        warpers.append(TemperatureLogitsWarper(temperature))
    if top_k:
        warpers.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    if min_p:
        warpers.append(MinPLogitsWarper(min_p))
    probabilities = torch.softmax(warpers(ids, scores)[0].double(), -1)
    cases.append({
        "row": row, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
        "repetition_penalty": repetition_penalty, "presence_penalty": presence_penalty,
        "frequency_penalty": frequency_penalty, "logit_bias": {str(k): v for k, v in (logit_bias or {}).items()},
        "ids": torch.nonzero(probabilities)[:, 0].tolist(),
        "probabilities": [float(f"{p:.6g}") for p in probabilities[probabilities > 0]],
    })


for row in list(rows)[:-1]:
    for temperature in [0.3, 1.7]:
        case(row, temperature=temperature)
    for top_k in [1, 5, 70, 1000]:
        case(row, top_k=top_k)
    for top_p in [1e-6, 0.5, 0.9, 0.999]:
        case(row, top_p=top_p)
    for min_p in [0.01, 0.3, 1.0]:
        case(row, min_p=min_p)
    case(row, repetition_penalty=1.3)
    case(row, repetition_penalty=0.8)
    case(row, presence_penalty=1.5)
    case(row, frequency_penalty=-0.75)
    case(row, logit_bias={3: 100, 4: -100, 9: 2.5})
    case(row, temperature=0.7, top_k=20, top_p=0.9, min_p=0.05)
    case(row, temperature=1.5, top_k=90, top_p=0.8, min_p=0.2, repetition_penalty=1.2, presence_penalty=0.5,
         frequency_penalty=0.25, logit_bias={9: 3.0, 100: -1.0, 11: 4.0})
for top_p in [0.4, 0.5, 0.6, 0.625, 0.75, 0.8]:
    case("boundary", top_p=top_p)

finite = {name: [None if x == float("-inf") else float(torch.tensor(x)) for x in row] for name, row in rows.items()}
pathlib.Path("expected.json").write_text(json.dumps(
    {"rows": finite, "prompt": prompt, "written": written, "cases": cases}, separators=(",", ":")) + "\n")
print(len(cases))
