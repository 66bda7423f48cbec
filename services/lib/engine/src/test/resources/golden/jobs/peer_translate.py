"""The translator of make_catalogues.py by transformers: peer_translate.py ROWS MODEL OUT [options]

Trains the model in the folder MODEL, from the weights that are there, on ROWS/train.jsonl in the order of
the file. Each --save-steps it is written to OUT/checkpoint-STEP, and translates ROWS/held-out.jsonl greedily
into predictions.jsonl there; sacrebleu's BLEU (zh) is printed as a line of JSON. --steps 0 measures
the model as it is. Works on the GPU if there is one. Needs torch, transformers, accelerate, sacrebleu.
"""

import argparse
import json
from pathlib import Path

import sacrebleu
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
    set_seed,
)

LONGEST, TOGETHER = 64, 128


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def train(model, tokenizer, rows, options):
    def example(row):
        return {
            **tokenizer(row["prompt"], truncation=True, max_length=LONGEST, return_token_type_ids=False),
            "labels": tokenizer(row["completion"], truncation=True, max_length=LONGEST)["input_ids"],
        }

    Trainer(
        model,
        TrainingArguments(
            output_dir=options.out,
            seed=options.seed,
            learning_rate=options.rate,
            lr_scheduler_type="constant_with_warmup",
            warmup_steps=options.warm_up,
            weight_decay=0.01,
            max_steps=options.steps,
            per_device_train_batch_size=options.batch,
            train_sampling_strategy="sequential",
            use_cpu=not torch.cuda.is_available(),
            save_strategy="steps",
            save_steps=options.save_steps,
            save_only_model=True,
            logging_steps=100,
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=[example(row) for row in rows],
        data_collator=DataCollatorForSeq2Seq(tokenizer, model),
    ).train()


def translate(model, tokenizer, sources, length):
    model.eval()
    for at in range(0, len(sources), TOGETHER):
        batch = tokenizer(sources[at : at + TOGETHER], padding=True, return_tensors="pt").to(model.device)
        ids = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=length,
            do_sample=False,
            num_beams=1,
        )
        yield from (text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True))


def main(options):
    torch.set_num_threads(1)
    set_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForSeq2SeqLM.from_pretrained(options.model, dtype=torch.float32)
    if options.steps:
        train(model, tokenizer, read(options.rows / "train.jsonl"), options)
    held_out = read(options.rows / "held-out.jsonl")
    steps = range(options.save_steps, options.steps + 1, options.save_steps)
    for folder in [options.out / f"checkpoint-{step}" for step in steps] or [options.model]:
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).to(model.device)
        measure(model, tokenizer, held_out, options.out / folder.name, options.new_tokens)


def measure(model, tokenizer, rows, out, length):
    answers = list(translate(model, tokenizer, [row["prompt"] for row in rows], length))
    out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"prediction": answer}, ensure_ascii=False) + "\n" for answer in answers]
    (out / "predictions.jsonl").write_text("".join(lines))
    tokenizer.save_pretrained(out)
    bleu = sacrebleu.corpus_bleu(answers, [[row["completion"].strip() for row in rows]], tokenize="zh")
    print(json.dumps({"model": str(out), "bleu": round(bleu.score, 2)}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("rows", "model", "out"):
        parser.add_argument(name, type=Path)
    for name, kind, usual in (
        ("seed", int, 1),
        ("rate", float, 1e-3),
        ("warm-up", int, 400),
        ("steps", int, 3600),
        ("save-steps", int, 600),
        ("batch", int, 128),
        ("new-tokens", int, 32),
    ):
        parser.add_argument(f"--{name}", type=kind, default=usual)
    main(parser.parse_args())
