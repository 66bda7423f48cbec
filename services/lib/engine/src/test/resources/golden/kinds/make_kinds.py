"""Training runs of transformers' Trainer (and peft) on encoders and encoder-decoders, float32 on CPU.

Usage: python make_kinds.py, in this folder. Made with transformers 5.18.0, peft 0.21.0, torch 2.13.0.

A run is rows.jsonl, run.json (settings, and the loss of each step) and what is trained in the end:
an adapter as peft saves it, or difference.safetensors, what training added to each weight, in
float16. No dropout; rows in the order of the file.
"""
import json, os, warnings
warnings.filterwarnings("ignore")
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")
import torch, transformers, tempfile
from torch.utils.data import Dataset, SequentialSampler
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import (AutoConfig, AutoModelForSequenceClassification, AutoModelForSeq2SeqLM,
                          AutoModelForTokenClassification, AutoTokenizer, DataCollatorForSeq2Seq,
                          DataCollatorForTokenClassification, DataCollatorWithPadding, Trainer,
                          TrainingArguments)
from peft import LoraConfig, get_peft_model

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
MODELS = "../models/"
TEXTS = ["My parcel is late.", "Thanks, the refund came today!", "The password looks wrong", "I love it",
         "An invoice was lost; nobody answers. Why?", "It works.", "The ticket is closed and I am happy with it",
         "Broken again", "Where is the account page?", "Great", "Not good, not bad.", "The order arrived broken",
         "Please change the address", "You fixed it at once: excellent", "Meh", "This is the worst answer of all"]
TARGETS = ["The parcel comes on Monday.", "You are welcome", "Set a new one", "We too", "We look for it.", "Yes",
           "Good to hear that", "Sorry! A new one ships", "At the top right", "Thanks", "What can we do better?",
           "We send another", "Done.", "Any time", "OK", "We are sorry and will do better next time"]
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dropout_rate=0.0, dropout=0.0,
                  attention_dropout=0.0, seq_classif_dropout=0.0)


class Rows(Dataset):
    def __init__(self, rows): self.rows = rows
    def __len__(self): return len(self.rows)
    def __getitem__(self, i): return self.rows[i]


class Recorder(Trainer):
    losses = None
    def _get_train_sampler(self, *a, **k): return SequentialSampler(self.train_dataset)
    def compute_loss(self, *a, **k):
        result = super().compute_loss(*a, **k)
        self.losses.append((result[0] if isinstance(result, tuple) else result).item())
        return result


def settings(rate, smoothing):
    return dict(per_device_train_batch_size=4, max_steps=10, learning_rate=rate, warmup_steps=1,
                lr_scheduler_type="linear", weight_decay=0.01, max_grad_norm=1.0, seed=1,
                label_smoothing_factor=smoothing)


def load(auto, name):
    config = AutoConfig.from_pretrained(MODELS + name)
    for key, value in NO_DROPOUT.items():
        if hasattr(config, key):
            setattr(config, key, value)
    return auto.from_pretrained(MODELS + name, config=config, dtype=torch.float32)


def run(name, base, model, rows, features, collator, rate, smoothing=0.0, lora=None, keep=True):
    os.makedirs(name, exist_ok=True)
    with open(f"{name}/rows.jsonl", "w") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)
    before = {k: v.detach().clone() for k, v in model.state_dict().items()}
    if lora:
        # The name that peft 0.21 looks for; transformers 5.18 has renamed it.
        if hasattr(model, "_prepare_text_encoder_decoder_kwargs_for_generation"):
            type(model)._prepare_encoder_decoder_kwargs_for_generation = (
                type(model)._prepare_text_encoder_decoder_kwargs_for_generation)
        torch.manual_seed(1)
        model = get_peft_model(model, lora)
        model.save_pretrained(f"{name}/init")
    args = settings(rate, smoothing)
    trainer = Recorder(
        model=model, train_dataset=Rows(features), data_collator=collator,
        args=TrainingArguments(output_dir=tempfile.mkdtemp(), use_cpu=True, report_to=[], save_strategy="no",
                               disable_tqdm=True, logging_steps=1, **args))
    trainer.losses = []
    trainer.train()
    json.dump({"model": base, "args": args, "losses": trainer.losses}, open(f"{name}/run.json", "w"), indent=1)
    if lora:
        model.save_pretrained(f"{name}/final")
        for part in ("init", "final"):
            os.path.exists(f"{name}/{part}/README.md") and os.remove(f"{name}/{part}/README.md")
    elif keep:
        after = dict(model.named_parameters())
        save_file({k: (v.detach() - before[k]).half().contiguous() for k, v in after.items()},
                  f"{name}/difference.safetensors")
    print(name, [round(x, 4) for x in trainer.losses], flush=True)


def classify(name, base, labels, rate, lora=None, keep=True):
    tok = AutoTokenizer.from_pretrained(MODELS + base)
    model = load(AutoModelForSequenceClassification, base)
    rows, features = [], []
    for i, text in enumerate(TEXTS):
        label = labels(i)
        rows.append({"text": text, "label": label})
        encoded = tok(text, truncation=True, max_length=min(tok.model_max_length, 64))
        if isinstance(label, list):
            label = [float(k in label) for k in range(model.config.num_labels)]
        features.append({**encoded, "labels": label})
    if model.config.problem_type is None and isinstance(labels(0), float):
        model.config.problem_type = "regression"
    run(name, base, model, rows, features, DataCollatorWithPadding(tok), rate, lora=lora, keep=keep)


def words(base, text, i):
    """A text as words, each with a label."""
    names = ["O", "PER", "ORG", "LOC"]
    split = text.replace(".", " .").split()
    return split, [names[(i + len(word)) % 4] for word in split]


def align(base, split, labels):
    """As run_ner.py: the first part of each word has its label."""
    config = AutoConfig.from_pretrained(MODELS + base)
    path = MODELS + base + "/tokenizer.json"
    description = json.load(open(path))
    if description["pre_tokenizer"]["type"] == "ByteLevel":
        description["pre_tokenizer"]["add_prefix_space"] = True
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.enable_truncation(24)
    encoded = tokenizer.encode(split, is_pretokenized=True)
    targets, last = [], None
    for word in encoded.word_ids:
        targets.append(-100 if word is None or word == last else config.label2id[labels[word]])
        last = word
    return {"input_ids": encoded.ids, "attention_mask": [1] * len(targets), "labels": targets}


def tokens(name, base, rate):
    tok = AutoTokenizer.from_pretrained(MODELS + base)
    rows, features = [], []
    for i, text in enumerate(TEXTS):
        split, labels = words(base, text, i)
        rows.append({"tokens": split, "labels": labels})
        features.append(align(base, split, labels))
    run(name, base, load(AutoModelForTokenClassification, base), rows, features,
        DataCollatorForTokenClassification(tok), rate, keep=False)


def alignments():
    result = {}
    for base in ("bert-tokens", "roberta-tokens"):
        result[base] = []
        for i, text in enumerate(TEXTS[:6] + ["unbelievably  parcelled " * 9]):
            split, labels = words(base, text, i)
            result[base].append({"tokens": split, "labels": labels, "expected": align(base, split, labels)})
    json.dump(result, open("alignment.json", "w"))


def sequences(name, base, rate, smoothing=0.0, lora=None, keep=True):
    tok = AutoTokenizer.from_pretrained(MODELS + base)
    model = load(AutoModelForSeq2SeqLM, base)
    rows, features = [], []
    for source, target in zip(TEXTS, TARGETS):
        rows.append({"prompt": source, "completion": target})
        labels = tok(text_target=target)["input_ids"]
        if labels[-1] != model.config.eos_token_id:
            labels = labels + [model.config.eos_token_id]
        features.append({"input_ids": tok(source)["input_ids"], "labels": labels})
    run(name, base, model, rows, features, DataCollatorForSeq2Seq(tok, model=model), rate, smoothing, lora, keep)


def lora(task):
    return LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type=task)


alignments()
classify("bert-full", "bert-classifier", lambda i: i % 3, 1e-3)
classify("bert-lora", "bert-classifier", lambda i: i % 3, 5e-3, lora("SEQ_CLS"))
classify("bert-multilabel", "bert-multilabel", lambda i: [k for k in range(4) if (i >> k) & 1], 1e-3, keep=False)
classify("bert-regression", "bert-regression", lambda i: i / 4 - 2, 1e-3, keep=False)
classify("roberta-full", "roberta-classifier", lambda i: i % 3, 1e-3, keep=False)
classify("distilbert-full", "distilbert-classifier", lambda i: i % 3, 1e-3, keep=False)
tokens("bert-tokens", "bert-tokens", 1e-3)
tokens("roberta-tokens", "roberta-tokens", 1e-3)
sequences("t5-full", "t5-relu", 1e-3)
sequences("t5-lora", "t5-relu", 5e-3, lora=lora("SEQ_2_SEQ_LM"))
sequences("t5-smoothed", "t5-relu", 1e-3, 0.1, keep=False)
sequences("bart-full", "bart-scaled", 1e-3)


def dropout():
    """The loss of one text in training mode: what is dropped follows from the seed and the order."""
    result = {}
    ids, target = [[5, 9, 33, 12, 7, 41, 18, 6]], [[8, 21, 13, 9, 2]]
    for base, auto in (("bert-classifier", AutoModelForSequenceClassification),
                       ("roberta-classifier", AutoModelForSequenceClassification),
                       ("distilbert-classifier", AutoModelForSequenceClassification),
                       ("t5-relu", AutoModelForSeq2SeqLM), ("bart-scaled", AutoModelForSeq2SeqLM)):
        config = AutoConfig.from_pretrained(MODELS + base)
        for key in NO_DROPOUT:
            if hasattr(config, key):
                setattr(config, key, 0.25)
        model = auto.from_pretrained(MODELS + base, config=config, dtype=torch.float32).train()
        # BART asks for a number a layer even where no layer is ever dropped.
        torch.rand = lambda *a, **k: torch.tensor(1.0)
        torch.manual_seed(7)
        labels = target if "Seq2Seq" in auto.__name__ else [1]
        result[base] = model(input_ids=torch.tensor(ids), labels=torch.tensor(labels)).loss.item()
    json.dump({"input_ids": ids[0], "target": target[0], "label": 1, "seed": 7, "rate": 0.25, "losses": result},
              open("dropout.json", "w"), indent=1)


dropout()
