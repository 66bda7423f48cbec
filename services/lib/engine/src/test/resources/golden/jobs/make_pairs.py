"""Preference pairs of what a policy wrote and a reward model scored: make_pairs.py PREDICTIONS OUT

PREDICTIONS is what `attune evaluate --task policy --samples N --predictions` wrote: the N completions of a
prompt side by side. Of each prompt the best one is chosen and the worst one rejected; where all are worth the
same there is no pair.
"""

import json
import sys
from itertools import groupby
from pathlib import Path


def main(predictions, out):
    rows = [json.loads(line) for line in predictions.read_text().splitlines()]
    pairs = []
    for prompt, group in groupby(rows, key=lambda row: row["prompt"]):
        ranked = sorted(group, key=lambda row: row["score"])
        if ranked[0]["score"] < ranked[-1]["score"]:
            pair = {"prompt": prompt, "chosen": ranked[-1]["completion"], "rejected": ranked[0]["completion"]}
            pairs.append(json.dumps(pair) + "\n")
    out.write_text("".join(pairs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
