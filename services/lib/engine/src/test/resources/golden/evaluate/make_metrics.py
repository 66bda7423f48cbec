"""Scores of the reference implementations, for the tests of io.attune.engine.evaluate.

pip install sacrebleu==2.6.0 rouge-score==0.1.2 scikit-learn==1.9.1; python make_metrics.py
writes metrics.json beside this file.
"""

import json
import random
import re
import string
import warnings
from pathlib import Path

import numpy as np
import sklearn.metrics as skm
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

warnings.simplefilter("ignore")
rng = random.Random(7)

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "She sells sea-shells (by the sea-shore), doesn't she?",
    "In 2024, prices rose by 3.5% to $1,299.99; nobody was surprised!",
    "\"Quoted\" &quot;escaped&quot; &amp; <tags> &lt;skipped> <skipped> text",
    "Die Straße ist länger als 1.000 Meter, sagte Frau Müller-Öztürk.",
    "L'été dernier, l'entreprise a embauché 25 employés… n'est-ce pas ?",
    "我们在北京的商店买了3.5公斤苹果，价格是￥25.8元。",
    "机器翻译（MT）的质量怎么样？非常好！",
    "這是一個繁體中文的句子、包含「引號」和數字１２３。",
    "Open-source 软件 is used by 10,000+ developers 世界各地.",
    "Emoji 😀👍🏽 and symbols ±√∞ © ™ € £ 𝒜 𠀀 too",
    "non\u00a0breaking\u2003spaces\u3000and\ttabs  here\u0085there\u200bzero",
    "line one ends here.\nline two goes on - and on.\nthe third line\nhyphen-\nated",
    "İstanbul'da ΟΔΥΣΣΕΥΣ STRASSE ẞ ﬁn K",
    "١٢٣، نص عربي؟ «اقتباس» ٤٫٥",
    "Это предложение на русском языке, с числом 3,14 и тире — вот.",
    "“Curly” ‘quotes’ – dashes — and… ellipses ⅓ ½ ²³",
    "a.b.c 1.2.3 e.g., U.S.A. 10-20 x-1 -5 5- ,5 5, .5 5.",
    "{braces} [brackets] ~tilde `tick` ^caret | pipe \\ back / slash @at #hash",
    "The committee's relational hopefulness was conditionally generalised by happily running engineers.",
    "Policies, replies, dying flies; controlling geologists enjoyed the skies agreed.",
    "word",
    ".",
    "",
    " ",
    "   leading and trailing   ",
    "one two three",
    "same same same same same same",
    "The cat sat on the mat.\nIt was happy.\nThe dog barked at the cat.",
    "The dog barked.\nThe cat on the mat was happy and sat.",
]


def changed(text):
    words = re.split(r"(\s+)", text)
    for _ in range(rng.randint(0, 4)):
        kind = rng.choice("dsrcu")
        i = rng.randrange(len(words))
        if kind == "d":
            words[i] = ""
        elif kind == "s":
            j = rng.randrange(len(words))
            words[i], words[j] = words[j], words[i]
        elif kind == "r":
            words[i] = rng.choice(rng.choice(TEXTS).split() or [""])
        elif kind == "c" and words[i]:
            k = rng.randrange(len(words[i]))
            words[i] = words[i][:k] + rng.choice("abc,.!中文 9") + words[i][k + 1 :]
        elif kind == "u":
            words[i] = words[i].upper()
    return "".join(words)


pairs = []
for text in TEXTS:
    for _ in range(8):
        references = [text if rng.random() < 0.7 else changed(text)]
        references += [changed(rng.choice([text, text, rng.choice(TEXTS)])) for _ in range(2)]
        pairs.append({"hypothesis": changed(text), "references": references})
hypotheses = [p["hypothesis"] for p in pairs]

bleus = []
for settings in [
    dict(tokenize="13a"),
    dict(tokenize="zh"),
    dict(tokenize="intl"),
    dict(tokenize="char"),
    dict(tokenize="none"),
    dict(tokenize="13a", lowercase=True),
    dict(tokenize="13a", smooth_method="floor"),
    dict(tokenize="13a", smooth_method="floor", smooth_value=0.25),
    dict(tokenize="13a", smooth_method="add-k"),
    dict(tokenize="zh", smooth_method="add-k", smooth_value=2.0),
    dict(tokenize="13a", smooth_method="none"),
]:
    for count in (1, 3):
        metric = BLEU(**settings)
        streams = [[p["references"][i] for p in pairs] for i in range(count)]
        corpus = metric.corpus_score(hypotheses, streams)
        sentence = BLEU(**settings, effective_order=True)
        bleus.append(
            dict(
                tokenizer=settings["tokenize"],
                lowercase=settings.get("lowercase", False),
                smoothing=settings.get("smooth_method", "exp"),
                value=settings.get(
                    "smooth_value", BLEU.SMOOTH_DEFAULTS[settings.get("smooth_method", "exp")] or 0
                ),
                references=count,
                signature=str(metric.get_signature()),
                corpus=corpus.score,
                corpusEffective=sentence.corpus_score(hypotheses, streams).score,
                sentences=[
                    sentence.sentence_score(p["hypothesis"], p["references"][:count]).score
                    for p in pairs
                ],
            )
        )

chrfs = []
for settings in [
    dict(),
    dict(word_order=2),
    dict(word_order=2, lowercase=True),
    dict(whitespace=True),
    dict(word_order=1, eps_smoothing=True),
    dict(char_order=4, beta=3),
]:
    for count in (1, 3):
        metric = CHRF(**settings)
        streams = [[p["references"][i] for p in pairs] for i in range(count)]
        score = metric.corpus_score(hypotheses, streams).score
        chrfs.append(
            dict(
                charOrder=settings.get("char_order", 6),
                wordOrder=settings.get("word_order", 0),
                beta=settings.get("beta", 2),
                lowercase=settings.get("lowercase", False),
                whitespace=settings.get("whitespace", False),
                epsSmoothing=settings.get("eps_smoothing", False),
                references=count,
                signature=str(metric.get_signature()),
                corpus=score,
                sentences=[
                    metric.sentence_score(p["hypothesis"], p["references"][:count]).score
                    for p in pairs
                ],
            )
        )

KINDS = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
rouges = []
for stemmer in (False, True):
    scorer = rouge_scorer.RougeScorer(KINDS, use_stemmer=stemmer)
    for count in (1, 3):
        scores = [scorer.score_multi(p["references"][:count], p["hypothesis"]) for p in pairs]
        for kind in KINDS:
            rouges.append(
                dict(
                    kind=kind,
                    stemmer=stemmer,
                    references=count,
                    mean=float(np.mean([s[kind].fmeasure for s in scores])),
                    sentences=[[*map(float, s[kind])] for s in scores],
                )
            )

# Words with every ending that a rule knows, on stems of every length, and words from the texts.
ENDINGS = (
    "ational tional enci anci izer abli bli alli entli eli ousli ization ation ator alism iveness"
    " fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance"
    " ence er ic able ible ant ement ment ent sion tion ion ou ism ate iti ous ive ize e ll sses"
    " ies ss s eed ed ing ied y ying ated bling izing ally ology ologies"
).split()
STEMS = "b be ab cab tree try play hopp fail fil yyy sky gener commun controll relat geo 3d x2y".split()
words = sorted(
    {stem + ending for stem in STEMS for ending in ENDINGS}
    | {w for t in TEXTS for w in re.findall("[a-z0-9]+", t.lower())}
    | set(
        "sky skies dying lying tying news innings inning outings outing cannings canning howe"
        " proceed exceed succeed flies dies died spied enjoy spy happy feed agreed".split()
    )
)
words = [w for i, w in enumerate(words) if i % 2 == 0 or len(w) < 6]
porter = PorterStemmer()
stems = {w: porter.stem(w) for w in words}

classifications = []
for labels, rows in [(2, 40), (2, 7), (3, 60), (5, 30), (7, 12)]:
    for _ in range(3):
        truth = [rng.randrange(labels) for _ in range(rows)]
        guess = [t if rng.random() < 0.6 else rng.randrange(labels) for t in truth]
        classifications.append((labels, truth, guess))
classifications += [
    (2, [0, 0, 0], [0, 0, 0]),
    (2, [1, 1, 0], [0, 0, 0]),
    (2, [0, 0, 0], [1, 0, 1]),
    (3, [0, 1, 1, 0], [2, 2, 2, 2]),
    (4, [3, 3, 3], [3, 3, 3]),
    (4, [0, 1, 2, 2], [1, 0, 2, 2]),
]
classified = []
for labels, truth, guess in classifications:
    scores = []
    for average in ["binary", "macro", "micro", "weighted"] if labels == 2 else ["macro", "micro", "weighted"]:
        for zero in (0.0, 1.0):
            settings = dict(average=average, zero_division=zero)
            if average == "binary":
                settings.update(labels=[1], average="macro")  # binary refuses a missing label 1
            p, r, f, _ = skm.precision_recall_fscore_support(truth, guess, **settings)
            scores.append(
                dict(average=average, zeroDivision=zero, precision=float(p), recall=float(r), f1=float(f))
            )
    classified.append(
        dict(
            labels=labels,
            truth=truth,
            predicted=guess,
            accuracy=float(skm.accuracy_score(truth, guess)),
            mcc=float(skm.matthews_corrcoef(truth, guess)),
            scores=scores,
        )
    )


def normalize_answer(s):
    """Verbatim from the evaluation script of SQuAD 1.1."""

    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    def lower(text):
        return text.lower()

    return white_space_fix(remove_articles(remove_punc(lower(s))))


answers = [
    ("The Eiffel Tower", ["eiffel tower"]),
    ("the  Eiffel-Tower!", ["EiffelTower", "x"]),
    ("an apple", ["A apple."]),
    ("another apple", ["other apple"]),
    ("the", [""]),
    ("thé a", ["thé"]),
    ("42", ["42.0", "forty-two"]),
    ("“the”", ["““", "“ ”"]),
    ("a_the_b", ["atheb"]),
    ("Paris", ["paris", "London"]),
    ("Paris ", ["Paris"]),
    ("北京。", ["北京"]),
]
matches = [
    dict(
        hypothesis=h,
        references=r,
        exact=float(any(h == x for x in r)),
        squad=float(any(normalize_answer(h) == normalize_answer(x) for x in r)),
    )
    for h, r in answers
]

values = sorted(rng.gauss(0, 1) for _ in range(57))
percentiles = dict(
    values=values, shares=[0.0, 0.025, 0.1, 0.5, 0.77, 0.975, 1.0]
)
percentiles["expected"] = [float(np.percentile(values, 100 * s)) for s in percentiles["shares"]]

result = dict(
    pairs=pairs,
    bleu=bleus,
    chrf=chrfs,
    rouge=rouges,
    stems=stems,
    classification=classified,
    exactMatch=matches,
    percentiles=percentiles,
)


def rounded(value):
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


out = Path(__file__).with_name("metrics.json")
out.write_text(json.dumps(rounded(result), separators=(",", ":")), encoding="utf-8")
print(out.stat().st_size, "bytes", len(pairs), "pairs", len(stems), "stems")
