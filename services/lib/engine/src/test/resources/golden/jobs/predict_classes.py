"""What transformers and peft make of trained classifiers: predict_classes.py ROWS MAX_LENGTH OUT FOLDER...

FOLDER is a model's, or an adapter's that names its base model. What it takes each row of
ROWS/held-out.jsonl for goes to OUT/NAME.json, as peer_classify.py writes it.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOGETHER = 32


def load(folder):
    adapter = folder / "adapter_config.json"
    if not adapter.exists():
        return AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32), folder
    base = json.loads(adapter.read_text())["base_model_name_or_path"]
    model = AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.float32)
    return PeftModel.from_pretrained(model, folder), base


@torch.no_grad()
def main(rows, length, out, folders):
    torch.set_num_threads(1)
    texts = [json.loads(line)["text"] for line in (rows / "held-out.jsonl").read_text().splitlines()]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for folder in folders:
        model, where = load(folder)
        model.eval()
        tokenizer = AutoTokenizer.from_pretrained(where)
        labels = [""] * len(texts)
        for at in range(0, len(order), TOGETHER):
            places = order[at : at + TOGETHER]
            batch = tokenizer(
                [texts[i] for i in places],
                truncation=True,
                max_length=length,
                padding=True,
                return_tensors="pt",
            )
            for place, label in zip(places, model(**batch).logits.argmax(-1).tolist()):
                labels[place] = model.config.id2label[label]
        (out / f"{folder.name}.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), [Path(name) for name in sys.argv[4:]])
