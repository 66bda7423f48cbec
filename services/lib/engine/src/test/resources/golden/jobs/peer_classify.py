"""The classifier of make_ratings.py by transformers and peft.

    peer_classify.py MODEL ROWS METHOD SEED RATE MAX_LENGTH BATCH EPOCHS OUT [DROPOUT_SEED]

METHOD is full, lora or bitfit. Trains on ROWS/train-SEED.jsonl in the order of the file, measures on
ROWS/held-out.jsonl, writes what it takes each of these rows for to the file OUT and prints a line of JSON:
macro F1, and the middle 95% of it over 1000 draws of the held-out rows. SEED is also dropout's if no other
is given. Works on the GPU if there is one. Needs torch, transformers, peft, accelerate, scikit-learn.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from sklearn.metrics import f1_score
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

LABELS = ["negative", "neutral", "positive"]


def examples(path, tokenizer, length):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        {**tokenizer(row["text"], truncation=True, max_length=length), "labels": LABELS.index(row["label"])}
        for row in rows
    ]


def prepare(model, method):
    if method == "lora":
        return get_peft_model(
            model,
            LoraConfig(
                task_type="SEQ_CLS",
                r=8,
                lora_alpha=16,
                target_modules=["query", "key", "value"],
                modules_to_save=["classifier", "pooler"],
            ),
        )
    if method == "bitfit":
        for name, parameter in model.named_parameters():
            # The checkpoint has no pooler: a drawn one is of no use as it is.
            head = name.startswith(("classifier.", "bert.pooler."))
            parameter.requires_grad = head or name.endswith(".bias")
    return model


def main(folder, rows, method, seed, rate, length, batch, epochs, out, dropout_seed):
    torch.set_num_threads(1)
    set_seed(dropout_seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=torch.float32,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    model = prepare(model, method)
    collator = DataCollatorWithPadding(tokenizer)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model,
            TrainingArguments(
                output_dir=scratch,
                seed=dropout_seed,
                learning_rate=rate,
                lr_scheduler_type="linear",
                warmup_steps=5,
                weight_decay=0.01,
                num_train_epochs=epochs,
                per_device_train_batch_size=batch,
                per_device_eval_batch_size=32,
                train_sampling_strategy="sequential",
                use_cpu=not torch.cuda.is_available(),
                save_strategy="no",
                logging_steps=10,
                report_to=[],
                disable_tqdm=True,
            ),
            train_dataset=examples(rows / f"train-{seed}.jsonl", tokenizer, length),
            data_collator=collator,
        )
        trainer.train()
        held_out = examples(rows / "held-out.jsonl", tokenizer, length)
        order = sorted(range(len(held_out)), key=lambda i: len(held_out[i]["input_ids"]))
        result = trainer.predict([held_out[i] for i in order])
    guess, truth = result.predictions.argmax(-1), result.label_ids
    labels = [""] * len(held_out)
    for place, label in zip(order, guess):
        labels[place] = LABELS[label]
    out.write_text(json.dumps(labels))
    random = np.random.default_rng(42)
    draws = [
        f1_score(truth[chosen], guess[chosen], average="macro")
        for chosen in (random.integers(len(truth), size=len(truth)) for _ in range(1000))
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    print(
        json.dumps(
            {
                "method": method,
                "seed": seed,
                "dropout_seed": dropout_seed,
                "f1": round(f1_score(truth, guess, average="macro"), 4),
                "interval": [round(low, 4), round(high, 4)],
                "accuracy": round(float((truth == guess).mean()), 4),
            }
        )
    )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        arguments[0],
        Path(arguments[1]),
        arguments[2],
        int(arguments[3]),
        float(arguments[4]),
        *map(int, arguments[5:8]),
        Path(arguments[8]),
        int(arguments[-1] if len(arguments) > 9 else arguments[3]),
    )
