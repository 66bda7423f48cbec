"""Openings of film reviews for a policy to continue: make_prompts.py human-ratings.jsonl OUT WORDS SEED...

The data of Hutto and Gilbert, VADER (ICWSM 2014), MIT licence, as make_scores.py reads it: the same fifth of
the texts is held out. A prompt is the first WORDS words of a snippet from a film review that has at least
twice as many. OUT/held-out.jsonl has those of the held-out fifth, in the order of the hashes; of the others
OUT/tune.jsonl has 128, to choose settings by, and OUT/train-SEED.jsonl the rest in an order that the seed
decides, so that whoever reads the file in order takes the same prompts at each step. No prompt is in two of
the three.
"""

import json
import random
import sys
from pathlib import Path

from make_scores import digest

TUNED_ON = 128


def write(path, prompts):
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))


def openings(lines, words, taken):
    for line in lines:
        split = line["text"].split()
        prompt = " ".join(split[:words])
        if line["set"] == "movies" and len(split) >= 2 * words and prompt not in taken:
            taken.add(prompt)
            yield prompt


def main(source, out, words, seeds):
    lines = [json.loads(line) for line in Path(source).read_text().splitlines()]
    lines.sort(key=digest)
    fifth = len(lines) // 5
    taken = set()
    held_out = list(openings(lines[:fifth], words, taken))
    others = list(openings(lines[fifth:], words, taken))
    out.mkdir(parents=True, exist_ok=True)
    write(out / "held-out.jsonl", held_out)
    write(out / "tune.jsonl", others[:TUNED_ON])
    for seed in seeds:
        trained = others[TUNED_ON:]
        random.Random(seed).shuffle(trained)
        write(out / f"train-{seed}.jsonl", trained)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), [int(seed) for seed in sys.argv[4:]])
