"""Makes the two adapters and expected.json: greedy answers by transformers and peft.

Run in this folder: python make_adapters.py. Needs torch, transformers, peft, tokenizers.
"""

import json
import pathlib

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

MODEL = "../model"
PROMPTS = ["where is my order", "can I return it", "hello"]
NEW_TOKENS = 24

torch.set_num_threads(1)
tokenizer = PreTrainedTokenizerFast.from_pretrained(MODEL)
expected = {"new_tokens": NEW_TOKENS, "answers": {}}


def answers(model):
    model.eval()
    rows = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS,
                return_dict_in_generate=True, output_logits=True)
            logprobs = [torch.log_softmax(row[0], -1) for row in out.logits]
        new = out.sequences[0][ids.shape[1]:].tolist()
        rows.append({
            "prompt": prompt,
            "prompt_token_ids": ids[0].tolist(),
            "completion_token_ids": new,
            "completion": tokenizer.decode(new, skip_special_tokens=True),
            "log_probabilities": [float(row[id]) for row, id in zip(logprobs, new)],
        })
    return rows


expected["answers"]["base"] = answers(AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32))
for seed, name in enumerate(["one", "two"], start=1):
    torch.manual_seed(seed)
    base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    for key, value in model.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(value.data, std=0.3)
    model.save_pretrained(name)
    (pathlib.Path(name) / "README.md").unlink(missing_ok=True)
    again = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    expected["answers"][name] = answers(PeftModel.from_pretrained(again, name))

pathlib.Path("expected.json").write_text(json.dumps(expected, indent=1) + "\n")
