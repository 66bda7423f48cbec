"""Rows and an untrained T5 from gettext catalogues: make_catalogues.py OUT FILE.mo...

English is the source, the catalogues' language the target: {prompt, completion}. Left out are plurals,
texts of less than 3 or more than 80 characters, of several lines, with an access key or without a
Chinese character; an English text that stands in several catalogues counts once, as in the first.
A twentieth, chosen by the SHA-256 of the English text, is held out. OUT gets train.jsonl,
held-out.jsonl and t5/, a model of d_model 128 with 2 and 2 layers, its weights drawn from seed 1, and a
Unigram tokenizer of 4000 pieces trained on train.jsonl. Needs tokenizers, torch and transformers.
"""

import gettext
import hashlib
import json
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration, set_seed

HAN = re.compile("[\u4e00-\u9fff]")
HELD_OUT, PIECES, LONGEST = 20, 4000, 80


def pairs(files):
    found = {}
    for path in files:
        with open(path, "rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        for source, target in catalogue.items():
            if not isinstance(source, str) or not source or not isinstance(target, str):
                continue
            source, target = source.split("\x04")[-1].strip(), target.strip()
            texts = source + target
            if "\n" in texts or "_" in texts or not HAN.search(target):
                continue
            if 3 <= len(source) <= LONGEST and len(target) <= LONGEST:
                found.setdefault(source, target)
    return sorted(found.items(), key=lambda pair: hashlib.sha256(pair[0].encode()).digest())


def write(path, rows):
    lines = [json.dumps({"prompt": s, "completion": t}, ensure_ascii=False) for s, t in rows]
    path.write_text("\n".join(lines) + "\n")


def tokenizer(texts):
    result = Tokenizer(models.Unigram())
    result.normalizer = normalizers.NFC()
    result.pre_tokenizer = pre_tokenizers.Metaspace()
    result.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    result.train_from_iterator(texts, trainer)
    result.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=result, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def main(out, files):
    out.mkdir(parents=True, exist_ok=True)
    rows = pairs(files)
    held_out = len(rows) // HELD_OUT
    write(out / "held-out.jsonl", rows[:held_out])
    write(out / "train.jsonl", rows[held_out:])
    tokens = tokenizer(text for pair in rows[held_out:] for text in pair)
    tokens.save_pretrained(out / "t5")
    set_seed(1)
    config = T5Config(
        vocab_size=len(tokens),
        d_model=128,
        d_kv=32,
        d_ff=512,
        num_heads=4,
        num_layers=2,
        num_decoder_layers=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    T5ForConditionalGeneration(config).save_pretrained(out / "t5")
    print(f"{len(rows) - held_out} rows to train on, {held_out} held out")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
