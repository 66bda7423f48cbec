"""Macro F1 of two sides: compare_classifiers.py ROWS --ours FILE... --peer FILE...

The files are those of predict_classes.py and peer_classify.py, one for a run. Prints a line of JSON for
each run, the means over each side's runs, and the difference of the means with the middle 95% of it
over 1000 draws of the rows of ROWS/held-out.jsonl, the same for all runs.
"""

import argparse
import json
from pathlib import Path

import numpy as np

DRAWS = 1000


def macro_f1(truth, guess, classes):
    """Of each draw: truth and guess are [draws, rows]."""
    scores = []
    for label in range(classes):
        true, said = truth == label, guess == label
        hits = (true & said).sum(-1)
        scores.append(2 * hits / np.maximum(true.sum(-1) + said.sum(-1), 1))
    return np.mean(scores, axis=0)


def main(rows, ours, peer):
    wanted = [json.loads(line)["label"] for line in (rows / "held-out.jsonl").read_text().splitlines()]
    names = sorted(set(wanted))
    numbers = {name: i for i, name in enumerate(names)}
    truth = np.array([numbers[label] for label in wanted])
    chosen = np.random.default_rng(42).integers(len(truth), size=(DRAWS, len(truth)))
    chosen = np.concatenate([np.arange(len(truth))[None], chosen])  # the rows themselves first
    means = []
    for files in (ours, peer):
        scores = []
        for file in files:
            guess = np.array([numbers[label] for label in json.loads(file.read_text())])
            scores.append(macro_f1(truth[chosen], guess[chosen], len(names)))
            print(json.dumps({"run": str(file), **summary(scores[-1])}))
        means.append(np.mean(scores, axis=0))
        print(json.dumps({"mean of": len(files), **summary(means[-1])}))
    print(json.dumps({"difference": summary(means[0] - means[1])}))


def summary(scores):
    low, high = np.percentile(scores[1:], [2.5, 97.5])
    return {"f1": round(scores[0], 4), "interval": [round(low, 4), round(high, 4)]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=Path)
    parser.add_argument("--ours", nargs="+", type=Path, required=True)
    parser.add_argument("--peer", nargs="+", type=Path, required=True)
    options = parser.parse_args()
    main(options.rows, options.ours, options.peer)
