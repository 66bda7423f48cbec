"""Makes the files of rows and expected.json: what transformers makes of rows in the forms that people have.

Run in this folder: python make_forms.py LLAMA_FACTORY_DATA. The rows are unchanged rows of LLaMA-Factory's
demonstration files (github.com/hiyouga/LLaMA-Factory, folder data, Apache License 2.0); of wiki_demo.txt it is
the start of two lines. Made with transformers 5.18.0 and the tokenizer and template of ../models/llama.

Prompt and completion are tokenized as trl 1.13.0 does: the prompt alone, both together, the rest is the
completion. Turns are masked by return_assistant_tokens_mask, with the template's blocks marked by hand.
"""

import json
import pathlib
import sys

from transformers import AutoTokenizer

SOURCE, HERE = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
tok = AutoTokenizer.from_pretrained(HERE.parent / "models/llama")
MARKED = """{% for m in messages %}{{ '<s>' + m['role'] + '\n' }}{% if m['role'] == 'assistant' %}{% generation %}\
{{ m['content'] | trim + '</s>\n' }}{% endgeneration %}{% else %}{{ m['content'] | trim + '</s>\n' }}{% endif %}\
{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"""
ROLES = {"human": "user", "gpt": "assistant", "system": "system"}


def read(name):
    text = (SOURCE / name).read_text()
    return json.loads(text) if name.endswith("json") else [json.loads(line) for line in text.splitlines()]


def take(name, rows):
    if name.endswith("json"):
        (HERE / name).write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    else:
        (HERE / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return rows


def short(rows, chars, count, which=lambda row: True):
    return [row for row in rows if len(json.dumps(row, ensure_ascii=False)) < chars and which(row)][:count]


def ids(messages, prompt=False):
    return tok.apply_chat_template(messages, add_generation_prompt=prompt, return_dict=True)["input_ids"]


def pair(prompt, completion):
    before, all_ = ids(prompt, True), ids(prompt + completion)
    assert all_[: len(before)] == before
    return before, all_[len(before):]


def masked(prompt, completion):
    before, after = pair(prompt, completion)
    return {"input_ids": before + after, "labels": [-100] * len(before) + after}


def turns(messages, last=False):
    out = tok.apply_chat_template(messages, chat_template=MARKED, return_dict=True, return_assistant_tokens_mask=True)
    assert out["input_ids"] == ids(messages)
    mask = list(out["assistant_masks"])
    if last:
        start = len(mask) - 1 - mask[::-1].index(1)
        while start > 0 and mask[start - 1]:
            start -= 1
        mask[:start] = [0] * start
    return {"input_ids": out["input_ids"], "labels": [i if m else -100 for i, m in zip(out["input_ids"], mask)]}


def open_ai(conversation):
    return [{"role": ROLES[turn["from"]], "content": turn["value"]} for turn in conversation]


expected = {"marked_template": MARKED}
for name in ("alpaca_en_demo.json", "alpaca_zh_demo.json"):
    rows = read(name)
    rows = take(name, short(rows, 700, 1) + short(rows, 500, 2, lambda row: row["input"]))
    expected[name] = [
        masked([{"role": "user", "content": row["instruction"] + ("\n" + row["input"] if row["input"] else "")}],
               [{"role": "assistant", "content": row["output"]}]) for row in rows]
for name in ("dpo_en_demo.json", "dpo_zh_demo.json"):
    rows = read(name)
    rows = take(name, short(rows, 1500, 1)
                + short(rows, 1500, 1, lambda row: row["conversations"][0]["from"] == "system")
                + short(rows, 5000, 1, lambda row: len(row["conversations"]) > 2))
    expected[name] = []
    for row in rows:
        prompt, chosen = pair(open_ai(row["conversations"]), open_ai([row["chosen"]]))
        same, rejected = pair(open_ai(row["conversations"]), open_ai([row["rejected"]]))
        assert same == prompt
        expected[name].append({"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected})
rows = read("kto_en_demo.json")
rows = take("kto_en_demo.json", short(rows, 700, 1, lambda row: row["label"])
            + short(rows, 700, 1, lambda row: not row["label"])
            + short(rows, 4500, 1, lambda row: row["label"] and len(row["messages"]) > 2))
expected["kto_en_demo.json"] = [
    {**masked(row["messages"][:-1], row["messages"][-1:]), "label": row["label"]} for row in rows]
chats = [row["messages"] for row in rows]
expected["turns"] = [turns(chat) for chat in chats]
expected["last_turn"] = [turns(chat, True) for chat in chats]
rows = take("c4_demo.jsonl", short(read("c4_demo.jsonl"), 900, 2))
texts = [tok(row["text"])["input_ids"] + [tok.eos_token_id] for row in rows]
expected["c4_demo.jsonl"] = {"documents": texts}
lines = (SOURCE / "wiki_demo.txt").read_text().splitlines()
parts = [line[:400].rsplit(" ", 1)[0] for line in lines[:2]]
(HERE / "wiki_demo.txt").write_text("\n".join(parts) + "\n")
expected["wiki_demo.txt"] = {
    "documents": [tok("\n".join(parts))["input_ids"] + [tok.eos_token_id]],
    "lines": [tok(part)["input_ids"] + [tok.eos_token_id] for part in parts]}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
