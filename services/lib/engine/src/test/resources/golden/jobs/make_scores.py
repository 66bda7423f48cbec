"""Rows of a reward model from human ratings: make_scores.py human-ratings.jsonl OUT

The data of Hutto and Gilbert, VADER (ICWSM 2014), MIT licence: a line holds id, set, text and ratings
from -4 to 4. A text's score is its mean rating, scaled to [0, 1]. The fifth whose SHA-256 of the id
begins lowest is held out, as make_ratings.py has it: OUT/held-out-SET.jsonl, a file for each set, in the
order of the hashes. The rest are OUT/train-SET.jsonl, and OUT/train.jsonl with all sets, in an order that
follows from the hashes too, so that whoever reads a file in order sees the same batches.
"""

import hashlib
import json
import sys
from pathlib import Path
from statistics import mean


def digest(line):
    return hashlib.sha256(line["id"].encode()).digest()


def write(path, lines):
    rows = [{"text": line["text"], "score": round((mean(line["ratings"]) + 4) / 8, 6)} for line in lines]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main(source, out):
    lines = [json.loads(line) for line in Path(source).read_text().splitlines()]
    lines.sort(key=digest)
    fifth = len(lines) // 5
    held_out, trained = lines[:fifth], lines[fifth:]
    # The hashes' first bytes decide which texts are held out; their last ones shuffle the others.
    trained.sort(key=lambda line: digest(line)[::-1])
    out.mkdir(parents=True, exist_ok=True)
    write(out / "train.jsonl", trained)
    for name in sorted({line["set"] for line in lines}):
        write(out / f"held-out-{name}.jsonl", [line for line in held_out if line["set"] == name])
        write(out / f"train-{name}.jsonl", [line for line in trained if line["set"] == name])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
