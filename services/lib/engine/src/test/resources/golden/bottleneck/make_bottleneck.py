"""Bottleneck adapters by hand, from the papers, in transformers' models; float32 on CPU.

Usage: python make_bottleneck.py, in this folder. Made with transformers 5.18.0 and torch 2.15.0.

A case is an adapter with random weights (adapter_config.json, adapter_model.safetensors), what ten
steps of training make of it (run.json has each step's loss, final.safetensors the weights), and what
the adapter computes before: expected.json, with the tokens that greedy search writes, and the logits
in expected.safetensors. No dropout; rows in the order of the file. PEFT has no such adapters.

h is the stream of hidden states before a sublayer (attention, feed-forward network), F what that
computes of it, without the sum; N the norm behind the sum in post-norm models (BERT, BART), else
nothing. The stream after the sublayer is

  Houlsby et al. 2019, fig. 2:      N(h + F(h) + A(F(h)))
  Pfeiffer et al. 2020, fig. 3(b):  N(h + F(h) + A(N(h + F(h))))
  He et al. 2021, table 1:          N(h + F(h) + s A(h))

with A(x) = U f(D x + d) + u.
"""
import json, os, warnings
warnings.filterwarnings("ignore")
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")
import torch, transformers
from safetensors.torch import save_file
from torch import nn
from transformers import (AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM,
                          AutoModelForSequenceClassification, AutoTokenizer, get_scheduler)
from transformers.activations import ACT2FN
from transformers.models.bart.modeling_bart import BartDecoderLayer, BartEncoderLayer
from transformers.models.bert.modeling_bert import BertOutput, BertSelfOutput
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.models.llama.modeling_llama import LlamaDecoderLayer
from transformers.models.t5.modeling_t5 import T5LayerCrossAttention, T5LayerFF, T5LayerSelfAttention
from transformers.trainer_pt_utils import get_parameter_names

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
STEPS = 10
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dropout_rate=0.0, dropout=0.0,
                  attention_dropout=0.0, activation_dropout=0.0, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)
PLACES = dict(attention="mh_adapter", cross_attention="cross_adapter", output="output_adapter")


class Bottleneck(nn.Module):
    def __init__(self, size, config, layer):
        super().__init__()
        factor = config["reduction_factor"]
        if isinstance(factor, dict):
            factor = factor.get(str(layer), factor.get("default"))
        low = max(1, int(size // factor))
        self.adapter_down = nn.Sequential(nn.Linear(size, low), ACT2FN[config["non_linearity"]])
        self.adapter_up = nn.Linear(low, size)
        self.config, scaling = config, config["scaling"]
        if isinstance(scaling, str):
            self.scaling = nn.Parameter(torch.ones(1 if scaling == "learned" else size))

    def forward(self, x):
        return self.adapter_up(self.adapter_down(x)) * getattr(self, "scaling", self.config["scaling"])


def add(module, place, h, result, norm=lambda x: x):
    """The stream after a sublayer."""
    adapter = getattr(module, f"{place}_adapters", None)
    if adapter is None:
        return norm(h + result)
    if adapter.config["is_parallel"]:
        return norm(h + result + adapter(h))
    if adapter.config["original_ln_before"]:
        return norm(h + result + adapter(norm(h + result)))
    return norm(h + result + adapter(result))


def llama(self, hidden_states, **kwargs):
    h = hidden_states
    h = add(self, "attention", h, self.self_attn(hidden_states=self.input_layernorm(h), **kwargs)[0])
    return add(self, "output", h, self.mlp(self.post_attention_layernorm(h)))


def gpt2(self, hidden_states, past_key_values=None, attention_mask=None, *ignored, use_cache=False, **kwargs):
    h = hidden_states
    result = self.attn(self.ln_1(h), past_key_values=past_key_values, attention_mask=attention_mask,
                       use_cache=use_cache, **kwargs)[0]
    h = add(self, "attention", h, result)
    return add(self, "output", h, self.mlp(self.ln_2(h)))


def bert(place):
    return lambda self, hidden_states, input_tensor: add(
        self, place, input_tensor, self.dense(hidden_states), self.LayerNorm)


def t5_self(self, hidden_states, attention_mask=None, **kwargs):
    result, *more = self.SelfAttention(self.layer_norm(hidden_states), mask=attention_mask, **kwargs)
    return add(self, "attention", hidden_states, result), *more


def t5_cross(self, hidden_states, key_value_states, attention_mask=None, **kwargs):
    result, *more = self.EncDecAttention(self.layer_norm(hidden_states), mask=attention_mask,
                                         key_value_states=key_value_states, **kwargs)
    return add(self, "cross_attention", hidden_states, result), *more


def t5_feed_forward(self, hidden_states):
    return add(self, "output", hidden_states, self.DenseReluDense(self.layer_norm(hidden_states)))


def bart(self, hidden_states, attention_mask=None, encoder_hidden_states=None, encoder_attention_mask=None,
         past_key_values=None, use_cache=True, **kwargs):
    h = hidden_states
    cache = {} if encoder_hidden_states is None else {"past_key_values": past_key_values}
    result = self.self_attn(h, attention_mask=attention_mask, **cache, **kwargs)[0]
    h = add(self, "attention", h, result, self.self_attn_layer_norm)
    if encoder_hidden_states is not None:
        result = self.encoder_attn(h, key_value_states=encoder_hidden_states,
                                   attention_mask=encoder_attention_mask, **cache, **kwargs)[0]
        h = add(self, "cross_attention", h, result, self.encoder_attn_layer_norm)
    result = self.fc2(self.activation_fn(self.fc1(h)))
    return add(self, "output", h, result, self.final_layer_norm)


LlamaDecoderLayer.forward = llama
GPT2Block.forward = gpt2
BertSelfOutput.forward = bert("attention")
BertOutput.forward = bert("output")
T5LayerSelfAttention.forward = t5_self
T5LayerCrossAttention.forward = t5_cross
T5LayerFF.forward = t5_feed_forward
BartEncoderLayer.forward = BartDecoderLayer.forward = bart


def stacks(model):
    """Paths of all layers, and in each the modules that have the places."""
    kind = model.config.model_type
    if kind in ("llama", "gpt2"):
        base, layers = ("model.layers", model.model.layers) if kind == "llama" else ("transformer.h", model.transformer.h)
        return [(f"{base}.{i}", dict(attention=layer, output=layer)) for i, layer in enumerate(layers)]
    if kind == "bert":
        return [(f"bert.encoder.layer.{i}", dict(attention=layer.attention.output, output=layer.output))
                for i, layer in enumerate(model.bert.encoder.layer)]
    result = []
    for side in ("encoder", "decoder"):
        if kind == "t5":
            for i, block in enumerate(getattr(model, side).block):
                places = dict(attention=block.layer[0], output=block.layer[-1])
                if side == "decoder":
                    places["cross_attention"] = block.layer[1]
                result.append((f"{side}.block.{i}", places))
        else:
            for i, layer in enumerate(getattr(model.model, side).layers):
                places = ["attention", "cross_attention", "output"] if side == "decoder" else ["attention", "output"]
                result.append((f"model.{side}.layers.{i}", {place: layer for place in places}))
    return result


def insert(model, config):
    """Puts adapters into a model; the model's weights stand still. Names of what is trained."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    names = {}
    for index, (path, places) in enumerate(stacks(model)):
        for place, module in places.items():
            if config[PLACES[place]] and index not in config.get("leave_out", []):
                adapter = Bottleneck(model.config.hidden_size, config, index)
                setattr(module, f"{place}_adapters", adapter)
                for name, parameter in adapter.named_parameters():
                    nn.init.normal_(parameter, float(name == "scaling"), 0.1 if "bias" in name else 0.25)
                    names[f"base_model.model.{path}.{place}_adapters.{name}"] = parameter
    return names


def adamw(model, rate):
    """As transformers' Trainer makes it."""
    forbidden = ["bias", "layernorm", "rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    decayed = set(get_parameter_names(model, [nn.LayerNorm], forbidden))
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    return torch.optim.AdamW([
        {"params": [p for n, p in trained if n in decayed], "weight_decay": 0.01},
        {"params": [p for n, p in trained if n not in decayed], "weight_decay": 0.0}], lr=rate)


def pad(rows, value):
    length = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])


def read(name):
    with open(name) as file:
        return json.load(file) if name.endswith(".json") else [json.loads(line) for line in file]


def decoder(base):
    rows = read("../runs/sft-lora/tokens.json")

    def loss(model, batch):
        total, count = 0, sum(label >= 0 for row in batch for label in row["labels"][1:])
        for row in batch:
            logits = model(input_ids=torch.tensor([row["input_ids"]])).logits[0, :-1]
            labels = torch.tensor(row["labels"][1:])
            total = total + nn.functional.cross_entropy(logits, labels, reduction="sum") / count
        return total

    return AutoModelForCausalLM, rows, loss


def encoder(base):
    tokenizer = AutoTokenizer.from_pretrained(f"../models/{base}")
    rows = [{**tokenizer(row["text"]), "label": row["label"]} for row in read("../kinds/bert-full/rows.jsonl")]

    def loss(model, batch):
        return sum(model(input_ids=torch.tensor([row["input_ids"]]), labels=torch.tensor([row["label"]])).loss
                   for row in batch) / len(batch)

    return AutoModelForSequenceClassification, rows, loss


def encoder_decoder(base):
    tokenizer = AutoTokenizer.from_pretrained(f"../models/{base}")
    end = AutoConfig.from_pretrained(f"../models/{base}").eos_token_id
    rows = []
    for row in read("../kinds/t5-full/rows.jsonl"):
        labels = tokenizer(text_target=row["completion"])["input_ids"]
        rows.append({"input_ids": tokenizer(row["prompt"])["input_ids"],
                     "labels": labels if labels[-1] == end else labels + [end]})

    def loss(model, batch):
        total, count = 0, sum(len(row["labels"]) for row in batch)
        for row in batch:
            labels = torch.tensor([row["labels"]])
            total = total + model(input_ids=torch.tensor([row["input_ids"]]), labels=labels).loss * labels.numel() / count
        return total

    return AutoModelForSeq2SeqLM, rows, loss


def case(name, kind, base, rate, **settings):
    os.makedirs(name, exist_ok=True)
    config = dict(peft_type="BOTTLENECK", base_model_name_or_path=base, inference_mode=True, modules_to_save=None,
                  mh_adapter=False, output_adapter=True, cross_adapter=False, reduction_factor=4, non_linearity="relu",
                  original_ln_before=False, original_ln_after=True, residual_before_ln=True, is_parallel=False,
                  scaling=1.0, dropout=0.0, init_weights="bert")
    config.update(settings)
    auto, rows, loss = kind(base)
    config["task_type"] = {AutoModelForCausalLM: "CAUSAL_LM", AutoModelForSeq2SeqLM: "SEQ_2_SEQ_LM"}.get(auto, "SEQ_CLS")
    read_config = AutoConfig.from_pretrained(f"../models/{base}")
    for key, value in NO_DROPOUT.items():
        if hasattr(read_config, key):
            setattr(read_config, key, value)
    torch.manual_seed(sum(map(ord, name)))
    model = auto.from_pretrained(f"../models/{base}", config=read_config, dtype=torch.float32)
    parameters = insert(model.train(), config)
    with open(f"{name}/adapter_config.json", "w") as file:
        json.dump(config, file, indent=2)
    save_file({k: v.detach().clone() for k, v in parameters.items()}, f"{name}/adapter_model.safetensors")
    write_expected(name, f"models/{base}", model.eval(), rows[:2])

    optimizer = adamw(model.train(), rate)
    schedule = get_scheduler("linear", optimizer, 1, STEPS)
    steps = []
    for step in range(STEPS):
        value = loss(model, [rows[(4 * step + i) % len(rows)] for i in range(4)])
        value.backward()
        norm = nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        steps.append({"loss": value.item(), "grad_norm": norm.item(), "learning_rate": schedule.get_last_lr()[0]})
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    with open(f"{name}/run.json", "w") as file:
        json.dump({"base": f"models/{base}", "learning_rate": rate, "steps": steps}, file, indent=1)
    save_file({k: v.detach().clone() for k, v in parameters.items()}, f"{name}/final.safetensors")
    print(name, [round(step["loss"], 4) for step in steps], flush=True)


@torch.no_grad()
def write_expected(name, base, model, rows):
    """Of each row (a decoder's: of its start): logits, and up to eight tokens of greedy search."""
    expected = {"base": base, "input_ids": [row["input_ids"] for row in rows], "greedy": []}
    logits = []
    for row in rows:
        ids = torch.tensor([row["input_ids"]])
        if "labels" in row and model.config.is_encoder_decoder:
            expected.setdefault("labels", []).append(row["labels"])
            logits.append(model(input_ids=ids, labels=torch.tensor([row["labels"]])).logits[0])
            expected["greedy"].append(model.generate(ids, max_new_tokens=8, do_sample=False, num_beams=1)[0, 1:].tolist())
        elif "labels" in row:
            ids = ids[:, :12]
            expected["input_ids"][len(logits)] = ids[0].tolist()
            logits.append(model(input_ids=ids).logits[0])
            written = model.generate(ids, max_new_tokens=8, do_sample=False, pad_token_id=0)
            expected["greedy"].append(written[0, ids.shape[1]:].tolist())
        else:
            logits.append(model(input_ids=ids).logits[0])
    with open(f"{name}/expected.json", "w") as file:
        json.dump(expected, file)
    save_file({f"logits.{i}": each.contiguous() for i, each in enumerate(logits)}, f"{name}/expected.safetensors")


HOULSBY = dict(mh_adapter=True, non_linearity="swish")
PFEIFFER = dict(original_ln_before=True)
PARALLEL = dict(is_parallel=True, scaling=4.0, init_weights="mam_adapter")
if __name__ == "__main__":
    case("llama-houlsby", decoder, "llama", 5e-3, **HOULSBY)
    case("llama-pfeiffer", decoder, "llama", 5e-3, **PFEIFFER)
    case("llama-parallel", decoder, "llama", 2e-3, **PARALLEL)
    case("gpt2-channel", decoder, "gpt2", 5e-3, mh_adapter=True, is_parallel=True, scaling="channel",
         reduction_factor={"0": 2, "default": 5}, non_linearity="gelu")
    case("bert-houlsby", encoder, "bert-classifier", 5e-3, **HOULSBY)
    case("bert-pfeiffer", encoder, "bert-classifier", 5e-3, **PFEIFFER)
    case("bert-parallel", encoder, "bert-classifier", 2e-3, **PARALLEL)
    case("t5-houlsby", encoder_decoder, "t5-relu", 5e-3, cross_adapter=True, leave_out=[1], **HOULSBY)
    case("bart-pfeiffer", encoder_decoder, "bart-scaled", 5e-3, mh_adapter=True, cross_adapter=True, **PFEIFFER)
    case("bart-learned", encoder_decoder, "bart-scaled", 5e-3, cross_adapter=True, **{**PARALLEL, "scaling": "learned"})
