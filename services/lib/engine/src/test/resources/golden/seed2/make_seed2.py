"""Makes the models and adapters of this folder: the cases of ../models and ../adapters that the
families and PEFT's kinds began with, once more with another seed, other widths and another depth,
as narrow as they can be.

Run in this folder: python make_seed2.py. Made with transformers 5.18.0, peft 0.21.0, torch 2.13.0
on CPU in float32. The tokenizer has a word for each id, so that a prompt can say its ids: "t17 t4".
"""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import (IA3Config, LoraConfig, PeftModel, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig,
                  VeraConfig, get_peft_model)
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (BartConfig, BartForConditionalGeneration, BertConfig, BertForSequenceClassification,
                          Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM,
                          MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM,
                          Qwen3Config, Qwen3ForCausalLM, RobertaConfig, RobertaForSequenceClassification, T5Config,
                          T5ForConditionalGeneration)

SEED = 2
WIDTH, LAYERS, HEADS, INNER, VOCABULARY = 24, 3, 4, 40, 100
PAD, BOS, EOS, UNK = range(4)
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
# Greedy text is only of use where rounding cannot change it.
MARGIN = 1e-3

torch.use_deterministic_algorithms(True)


def words():
    vocabulary = {word: i for i, word in enumerate(SPECIAL + [f"t{i}" for i in range(len(SPECIAL), VOCABULARY)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
                                   unk_token="<unk>")


def batch(width, short):
    """Two rows, of which the second ends in padding."""
    ids = torch.randint(len(SPECIAL), VOCABULARY, (2, width))
    mask = torch.ones_like(ids)
    ids[1, width - short:] = PAD
    mask[1, width - short:] = 0
    return ids, mask


class Unsuitable(Exception):
    """A case whose greedy text proves little: the next numbers are drawn."""


def draw(case, make):
    for attempt in range(100):
        torch.manual_seed(1000 * (1000 * SEED + case) + attempt)
        try:
            return make()
        except Unsuitable:
            pass
    raise AssertionError(f"no suitable numbers for case {case}")


def disturb(parameters, scale):
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(torch.randn_like(parameter) * scale)


def greedy(model, ids, mask, tokens, least=3, **options):
    """What a model writes; refused unless it has at least so many different tokens, each a clear choice."""
    out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False, num_beams=1,
                         pad_token_id=PAD, output_logits=True, return_dict_in_generate=True, **options)
    for logits in out.logits:
        best = logits.topk(2).values
        if (best[:, 0] - best[:, 1]).min() <= MARGIN:
            raise Unsuitable
    texts = [text[-len(out.logits):] for text in out.sequences.tolist()]
    if any(len(set(until_end(text))) < least for text in texts):
        raise Unsuitable
    return texts


def until_end(ids):
    return ids[:ids.index(EOS) + 1] if EOS in ids else ids


def save(folder, tensors, expected):
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, f"{folder}/expected.safetensors")
    with open(f"{folder}/expected.json", "w") as file:
        json.dump(expected, file)


shared = dict(vocab_size=VOCABULARY, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD)
common = dict(**shared, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
              num_attention_heads=HEADS, max_position_embeddings=64)
decoder = dict(**common, num_key_value_heads=2)
LLAMA3 = dict(rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
MODELS = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS,
                                         n_positions=64, bos_token_id=BOS, eos_token_id=EOS)),
    "llama": (LlamaForCausalLM, LlamaConfig(**decoder, rms_norm_eps=1e-5)),
    "llama-rope3": (LlamaForCausalLM, LlamaConfig(**decoder, tie_word_embeddings=True, rope_parameters=LLAMA3)),
    "mistral": (MistralForCausalLM, MistralConfig(**decoder, sliding_window=8)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**decoder)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**decoder, head_dim=8)),
    "gemma2": (Gemma2ForCausalLM, Gemma2Config(**decoder, head_dim=8, sliding_window=8, query_pre_attn_scalar=8)),
    "bert-classifier": (BertForSequenceClassification, BertConfig(**common, num_labels=3)),
    "roberta-classifier": (RobertaForSequenceClassification,
                           RobertaConfig(**common, type_vocab_size=1, num_labels=3)),
    "t5": (T5ForConditionalGeneration,
           T5Config(vocab_size=VOCABULARY, d_model=WIDTH, d_kv=8, d_ff=INNER, num_layers=LAYERS,
                    num_decoder_layers=LAYERS, num_heads=HEADS, feed_forward_proj="gated-gelu",
                    decoder_start_token_id=PAD, pad_token_id=PAD, eos_token_id=EOS)),
    "bart": (BartForConditionalGeneration,
             BartConfig(**shared, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS,
                        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=INNER,
                        decoder_ffn_dim=INNER, max_position_embeddings=64, decoder_start_token_id=BOS,
                        forced_eos_token_id=None)),
}

tokenizer = words()


def save_model(name, kind, config):
    config._attn_implementation = "eager"
    model = kind(config).eval()
    disturb(model.parameters(), 0.12)
    ids, mask = batch(12, 5)
    expected = {"input_ids": ids.tolist(), "attention_mask": mask.tolist()}
    with torch.no_grad():
        if name in ("t5", "bart"):
            labels, _ = batch(7, 2)
            start = config.decoder_start_token_id
            # BART, of tied embeddings, repeats itself.
            texts = greedy(model, ids, mask, 8, least=3 if name == "t5" else 1)
            expected["greedy"] = [[start] + text for text in texts]
        elif "classifier" in name:
            labels = torch.tensor([0, 2])
        else:
            labels = ids.masked_fill(mask == 0, -100)
            # Past an end of the text, which tests take into account.
            expected["greedy"] = ids[0].tolist() + greedy(model, ids[:1], mask[:1], 12, eos_token_id=None)[0]
        out = model(input_ids=ids, attention_mask=mask, labels=labels)
    folder = f"models/{name}"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save(folder, {"logits": out.logits}, {**expected, "labels": labels.tolist(), "loss": out.loss.item()})


for number, (name, (kind, config)) in enumerate(MODELS.items()):
    draw(number, lambda: save_model(name, kind, config))

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
causal = dict(task_type="CAUSAL_LM")
lora = dict(**causal, r=4, lora_alpha=8)
ADAPTERS = {
    "lora": LoraConfig(**lora, target_modules=["q_proj", "v_proj"]),
    "lora-all-rslora": LoraConfig(**causal, r=6, lora_alpha=8, use_rslora=True, target_modules=LINEAR),
    "lora-patterns": LoraConfig(**lora, rank_pattern={"layers.1.self_attn.q_proj": 2},
                                alpha_pattern={"layers.1.self_attn.q_proj": 16}, target_modules=LINEAR,
                                modules_to_save=["lm_head"]),
    "dora": LoraConfig(**lora, use_dora=True, target_modules=LINEAR),
    "ia3": IA3Config(**causal, target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "vera": VeraConfig(**causal, r=8, target_modules=["q_proj", "o_proj"], save_projection=True),
    "prompt-tuning": PromptTuningConfig(**causal, num_virtual_tokens=5),
    "prefix-tuning": PrefixTuningConfig(**causal, num_virtual_tokens=5),
    "p-tuning": PromptEncoderConfig(**causal, num_virtual_tokens=5, encoder_hidden_size=WIDTH),
}


def llama():
    return LlamaForCausalLM.from_pretrained("models/llama", attn_implementation="eager", dtype=torch.float32).eval()


def save_adapter(name, config):
    adapted = get_peft_model(llama(), config)
    disturb([parameter for parameter in adapted.parameters() if parameter.requires_grad], 0.1)
    folder = f"adapters/{name}"
    adapted.save_pretrained(folder)
    os.remove(f"{folder}/README.md")
    ids, mask = batch(12, 5)
    read = PeftModel.from_pretrained(llama(), folder).eval()
    with torch.no_grad():
        tensors = {"logits": read(input_ids=ids, attention_mask=mask).logits}
        rows = [ids[:1], ids[1:, :int(mask[1].sum())]]
        texts = [greedy(read, row, torch.ones_like(row), 10, least=2, eos_token_id=None)[0] for row in rows]
        if not config.is_prompt_learning:
            tensors["merged_logits"] = read.merge_and_unload()(input_ids=ids, attention_mask=mask).logits
    save(folder, tensors, {"base": "seed2/models/llama", "input_ids": ids.tolist(), "attention_mask": mask.tolist(),
                           "greedy": [until_end(text) for text in texts]})


for number, (name, config) in enumerate(ADAPTERS.items(), len(MODELS)):
    draw(number, lambda: save_adapter(name, config))
