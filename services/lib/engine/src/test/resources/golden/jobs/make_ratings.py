"""Rows of a classifier from human ratings: make_ratings.py human-ratings.jsonl OUT TRAINED SEED...

The data of Hutto and Gilbert, VADER (ICWSM 2014), MIT licence: a line holds id, text and ratings from -4
to 4. A text is negative at a mean rating of -0.5 and less, positive at 0.5 and more, else neutral. The
fifth whose SHA-256 of the id begins lowest is held out: OUT/held-out.jsonl. Of the rest the TRAINED
with the lowest hashes are OUT/train-SEED.jsonl, in an order that the seed decides, so that whoever
reads the file in order sees the same batches.
"""

import hashlib
import json
import random
import sys
from pathlib import Path
from statistics import mean

THRESHOLD = 0.5


def label(ratings):
    score = mean(ratings)
    return "negative" if score <= -THRESHOLD else "positive" if score >= THRESHOLD else "neutral"


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main(source, out, trained, seeds):
    lines = [json.loads(line) for line in Path(source).read_text().splitlines()]
    lines.sort(key=lambda line: hashlib.sha256(line["id"].encode()).digest())
    rows = [{"text": line["text"], "label": label(line["ratings"])} for line in lines]
    fifth = len(rows) // 5
    out.mkdir(parents=True, exist_ok=True)
    write(out / "held-out.jsonl", rows[:fifth])
    for seed in seeds:
        chosen = rows[fifth : fifth + trained]
        random.Random(seed).shuffle(chosen)
        write(out / f"train-{seed}.jsonl", chosen)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), [int(seed) for seed in sys.argv[4:]])
