"""The translator of make_catalogues.py by transformers.

    peer_translate.py ROWS SEED RATE STEPS BATCH OUT

Trains ROWS/t5, its weights drawn anew from SEED, on ROWS/train.jsonl in the order of the file and
writes the model to OUT, then prints sacrebleu's BLEU (zh) on ROWS/held-out.jsonl, greedy, as a line of
JSON. STEPS of 0 measure the weights as drawn. Needs torch, transformers, accelerate, sacrebleu.
"""

import json
import sys
import tempfile
from pathlib import Path

import sacrebleu
import torch
from transformers import (
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
    set_seed,
)

LONGEST, NEW_TOKENS, TOGETHER = 64, 48, 32


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def train(model, tokenizer, rows, seed, rate, steps, batch):
    def example(row):
        return {
            **tokenizer(row["prompt"], truncation=True, max_length=LONGEST),
            "labels": tokenizer(row["completion"], truncation=True, max_length=LONGEST)["input_ids"],
        }

    with tempfile.TemporaryDirectory() as scratch:
        Trainer(
            model,
            TrainingArguments(
                output_dir=scratch,
                seed=seed,
                learning_rate=rate,
                lr_scheduler_type="linear",
                warmup_steps=20,
                weight_decay=0.01,
                max_steps=steps,
                per_device_train_batch_size=batch,
                train_sampling_strategy="sequential",
                use_cpu=True,
                save_strategy="no",
                logging_steps=20,
                report_to=[],
                disable_tqdm=True,
            ),
            train_dataset=[example(row) for row in rows[: steps * batch]],
            data_collator=DataCollatorForSeq2Seq(tokenizer, model),
        ).train()


def translate(model, tokenizer, sources):
    model.eval()
    for at in range(0, len(sources), TOGETHER):
        batch = tokenizer(sources[at : at + TOGETHER], padding=True, return_tensors="pt")
        ids = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
        )
        yield from (text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True))


def main(rows, seed, rate, steps, batch, out):
    torch.set_num_threads(1)
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(rows / "t5")
    model = T5ForConditionalGeneration(T5Config.from_pretrained(rows / "t5"))
    if steps:
        train(model, tokenizer, read(rows / "train.jsonl"), seed, rate, steps, batch)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    held_out = read(rows / "held-out.jsonl")
    answers = list(translate(model, tokenizer, [row["prompt"] for row in held_out]))
    references = [row["completion"].strip() for row in held_out]
    bleu = sacrebleu.corpus_bleu(answers, [references], tokenize="zh")
    print(json.dumps({"seed": seed, "steps": steps, "bleu": round(bleu.score, 2)}))


if __name__ == "__main__":
    rows, seed, rate, steps, batch, out = sys.argv[1:]
    main(Path(rows), int(seed), float(rate), int(steps), int(batch), Path(out))
