"""Rows and an untrained T5 from gettext catalogues: make_catalogues.py OUT FILE.mo...

English is the source, the catalogues' language the target: {prompt, completion}. Left out are plurals,
texts of less than 3 or more than --longest characters, of several lines, with an access key or without
a Chinese character; an English text that stands in several catalogues counts once, as in the first.
A twentieth, chosen by the SHA-256 of the English text, is held out. OUT gets train.jsonl,
held-out.jsonl, and t5/ and bart/: models of --d-model and twice --layers, their weights drawn from
seed 1, with a Unigram tokenizer of --pieces trained on train.jsonl. Needs tokenizers, torch and
transformers.
"""

import argparse
import gettext
import hashlib
import json
import re
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    set_seed,
)

HAN = re.compile("[\u4e00-\u9fff]")
HELD_OUT = 20


def pairs(files, longest):
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
            if 3 <= len(source) <= longest and len(target) <= longest:
                found.setdefault(source, target)
    return sorted(found.items(), key=lambda pair: hashlib.sha256(pair[0].encode()).digest())


def write(path, rows):
    lines = [json.dumps({"prompt": s, "completion": t}, ensure_ascii=False) for s, t in rows]
    path.write_text("\n".join(lines) + "\n")


def tokenizer(texts, pieces):
    result = Tokenizer(models.Unigram())
    result.normalizer = normalizers.NFC()
    result.pre_tokenizer = pre_tokenizers.Metaspace()
    result.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=pieces, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    result.train_from_iterator(texts, trainer)
    result.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=result, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def t5(pieces, options):
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=pieces,
            d_model=options.d_model,
            d_kv=32,
            d_ff=4 * options.d_model,
            num_heads=options.d_model // 32,
            num_layers=options.layers,
            num_decoder_layers=options.layers,
            dropout_rate=options.dropout,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
        )
    )


def bart(pieces, options):
    sizes = {}
    for side in ("encoder", "decoder"):
        sizes[f"{side}_layers"] = options.layers
        sizes[f"{side}_attention_heads"] = options.d_model // 32
        sizes[f"{side}_ffn_dim"] = 4 * options.d_model
    return BartForConditionalGeneration(
        BartConfig(
            vocab_size=pieces,
            d_model=options.d_model,
            max_position_embeddings=128,
            dropout=options.dropout,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=1,
            decoder_start_token_id=1,
            forced_eos_token_id=None,
            **sizes,
        )
    )


def main(options):
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    rows = pairs(options.files, options.longest)
    held_out = len(rows) // HELD_OUT
    write(out / "held-out.jsonl", rows[:held_out])
    write(out / "train.jsonl", rows[held_out:])
    tokens = tokenizer((text for pair in rows[held_out:] for text in pair), options.pieces)
    for name, model in (("t5", t5), ("bart", bart)):
        set_seed(1)
        model(len(tokens), options).save_pretrained(out / name)
        tokens.save_pretrained(out / name)
    print(f"{len(rows) - held_out} rows to train on, {held_out} held out")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+", metavar="FILE.mo")
    parser.add_argument("--longest", type=int, default=80)
    parser.add_argument("--pieces", type=int, default=4000)
    parser.add_argument("--d-model", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    main(parser.parse_args())
