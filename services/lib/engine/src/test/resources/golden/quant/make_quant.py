"""What bitsandbytes makes of weights, and peft of LoRA's start from singular values.

Made with torch 2.15.0, bitsandbytes 0.50.2 and peft 0.21.0 on CPU:  python make_quant.py

quant.safetensors holds for each source ({float32,bfloat16}.{even,odd,blocks}) the weight, and under
SOURCE.{nf4,fp4}.{plain,double} codes, absmax and, doubly quantized, nested_absmax and nested_offset;
dense is the dequantized weight. SOURCE.int8 has codes and absmax. Largest magnitudes have few digits,
so that their mean is the same number in whatever order it is summed.
"""

import inspect

import torch
from bitsandbytes import functional as bnb
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import layer as lora_layer
from peft.utils import loftq_utils
from safetensors.torch import save_file

# peft has LoftQ computed on a GPU; the same lines, on CPU.
exec(inspect.getsource(loftq_utils.loftq_init).replace('"cuda"', '"cpu"'), vars(loftq_utils))
lora_layer.loftq_init = loftq_utils.loftq_init

SHAPES = {"even": (48, 64), "odd": (33, 37), "blocks": (256, 70)}


def source(name, dtype):
    torch.manual_seed(len(name))
    weight = (torch.randn(SHAPES[name]) * 0.05).flatten()
    for start in range(0, weight.numel(), 64):
        block = weight[start : start + 64]
        at = block.abs().argmax()
        block[at] = block[at].sign() * (block[at].abs() * 1.01).bfloat16().float()
    weight[3] = 0.0
    weight[5] = -0.0
    if name == "blocks":
        weight[64:128] = 0.0
        weight[130:140] = torch.linspace(-1e-5, 1e-5, 10)
    return weight.reshape(SHAPES[name]).to(dtype)


def initialisation(out):
    """pissa.ITERATIONS and loftq.ITERATIONS: B A as it is added, and what is left as the base weight."""
    torch.manual_seed(11)
    weight = torch.randn(48, 6) @ torch.randn(6, 64) * 0.1 + torch.randn(48, 64) * 0.02
    out["start.weight"] = weight
    for init in ("pissa", "pissa_niter_64", "loftq.1", "loftq.4"):
        config = {"r": 4, "lora_alpha": 8, "target_modules": ["0"]}
        if init.startswith("loftq"):
            bits = {"loftq_bits": 4, "loftq_iter": int(init[6:])}
            config = LoraConfig(init_lora_weights="loftq", loftq_config=bits, **config)
        else:
            config = LoraConfig(init_lora_weights=init, **config)
        model = torch.nn.Sequential(torch.nn.Linear(64, 48, bias=False))
        model[0].weight.data = weight.clone()
        layer = get_peft_model(model, config).base_model.model[0]
        out[f"{init}.product"] = layer.get_delta_weight("default").detach()
        out[f"{init}.base"] = layer.base_layer.weight.detach()


def main():
    out = {}
    out["dynamic_map"] = bnb.create_dynamic_map()
    for dtype in (torch.float32, torch.bfloat16):
        for name in SHAPES:
            if name == "blocks" and dtype == torch.bfloat16:
                continue
            key = f"{str(dtype).split('.')[1]}.{name}"
            weight = source(name, dtype)
            out[key] = weight
            for kind in ("nf4", "fp4"):
                for double in (False, True):
                    packed, state = bnb.quantize_4bit(
                        weight, blocksize=64, compress_statistics=double, quant_type=kind
                    )
                    at = f"{key}.{kind}.{'double' if double else 'plain'}"
                    out[at + ".codes"] = packed.flatten()
                    out[at + ".absmax"] = state.absmax
                    if double:
                        out[at + ".nested_absmax"] = state.state2.absmax
                        out[at + ".nested_offset"] = state.offset.reshape(1)
                    if name != "blocks" and dtype == torch.float32:
                        out[at + ".dense"] = bnb.dequantize_4bit(packed, state)
            codes, absmax, _ = bnb.int8_vectorwise_quant(weight.to(torch.float16))
            out[key + ".int8.codes"] = codes
            out[key + ".int8.absmax"] = absmax
    initialisation(out)
    save_file({k: v.contiguous().clone() for k, v in out.items()}, "quant.safetensors")


if __name__ == "__main__":
    main()
