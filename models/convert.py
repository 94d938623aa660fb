#!/usr/bin/env python3
"""Makes a folder that Cinnabar opens of a model that torch saved as a pickle.

    convert.py CHECKPOINT.ckpt FOLDER     a Lightning checkpoint of the repositories of MDLM or BD3-LM: the weights of the
                                          exponential moving average, which are those to use, and config.json
    convert.py pytorch_model.bin FOLDER   weights alone, beside a config.json that is in FOLDER or next to the file
    --raw                                 the trained weights, without the average
    --heads N, --block N, --length N      what the checkpoint does not say of itself

The pickle is read, not run. A tokenizer has to be put beside the result: for MDLM and BD3-LM, GPT-2's tokenizer.json.
Python 3.9 or newer and its standard library.
"""

import argparse
import json
import shutil
import struct
import sys
from pathlib import Path

from making import MakeError, say
from making.torch_file import Stub, Tensor, TorchFile

FLOATS = ("F64", "F32", "F16", "BF16")
BUFFERS = ("rotary_emb.inv_freq", "sampling_eps_min", "sampling_eps_max")  # no parameters: the average has none of them


def plain(value):
    """A configuration of OmegaConf, or a plain one, as dictionaries, lists and values."""
    if isinstance(value, Stub):
        inner = value.__dict__.get("_content", value.__dict__.get("_val"))
        return None if inner is value else plain(inner)
    if isinstance(value, dict):
        return {str(plain(k) if isinstance(k, Stub) else k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def at(tree, *path):
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def weights_of(tree):
    """The floating point tensors by name."""
    if isinstance(tree, dict) and isinstance(tree.get("state_dict"), dict):
        tree = tree["state_dict"]
    found = {str(n).replace("_orig_mod.", ""): t for n, t in tree.items() if isinstance(t, Tensor)} if isinstance(tree, dict) else {}
    if not found:
        raise MakeError("no tensors by name in it; expected a state_dict")
    return {n: t for n, t in found.items() if t.kind in FLOATS}


def averaged(weights, tree):
    """The same names with the moving average's tensors, which are listed in the order of the backbone's parameters."""
    shadows = at(tree, "ema", "shadow_params")
    if not isinstance(shadows, list):
        raise MakeError("no moving average in it (ema.shadow_params); --raw takes the trained weights")
    names = [n for n in weights if n.startswith("backbone.") and not n.endswith(BUFFERS)]
    if len(shadows) < len(names):
        raise MakeError(f"the moving average has {len(shadows)} tensors, the backbone {len(names)}")
    for name, shadow in zip(names, shadows):
        if not isinstance(shadow, Tensor) or shadow.shape != weights[name].shape:
            raise MakeError(f"the moving average does not fit {name} {list(weights[name].shape)}")
    return {**weights, **dict(zip(names, shadows))}


def dit_config(weights, tree, options):
    """config.json of a DiT, by its tensors and what the checkpoint says of its training."""
    said = plain(at(tree, "hyper_parameters", "config") or at(tree, "hyper_parameters") or {})
    model = at(said, "model") or {}
    vocabulary, width = weights["backbone.vocab_embed.embedding"].shape
    heads = options.heads or model.get("n_heads")
    length = options.length or model.get("length")
    if not heads or not length:
        raise MakeError("the checkpoint does not say how many heads and positions the model has: --heads N --length N")
    block = options.block or at(said, "block_size") or at(said, "algo", "block_size")
    adaptive = "backbone.sigma_map.mlp.0.weight" in weights
    causal = at(said, "backbone") == "ar" or at(said, "algo", "backbone") == "ar" or at(said, "parameterization") == "ar"
    blocks = bool(block) and not causal and int(block) < int(length)
    config = {"architectures": ["BD3LM" if blocks else "MDLM"], "model_type": "bd3lm" if blocks else "mdlm",
              "hidden_dim": width, "n_blocks": sum(n.endswith(".attn_qkv.weight") for n in weights), "n_heads": int(heads),
              "vocab_size": vocabulary, "model_length": int(length), "mask_token_id": vocabulary - 1, "adaln": adaptive,
              "time_conditioning": bool(at(said, "time_conditioning")) and adaptive}
    if blocks:
        config["block_size"] = int(block)
    if causal:
        config |= {"cinnabar_attention": "block_causal", "cinnabar_logits_shift": True}
    return config


def write_safetensors(path, file, weights):
    """The tensors one after the other; each is read when its turn comes."""
    sizes = {"F64": 4, "F32": 4, "F16": 2, "BF16": 2}
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in weights.items():
        count = 1
        for n in tensor.shape:
            count *= n
        end = offset + count * sizes[tensor.kind]
        kind = "F32" if tensor.kind == "F64" else tensor.kind
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in weights.values():
            out.write(file.values(tensor)[1])


def convert(options):
    source, folder = Path(options.checkpoint), Path(options.folder)
    file = TorchFile(source)
    weights = weights_of(file.tree)
    is_dit = "backbone.vocab_embed.embedding" in weights
    if is_dit:
        config = dit_config(weights, file.tree, options)
        weights = weights if options.raw else averaged(weights, file.tree)
        weights = {n: t for n, t in weights.items() if n.startswith("backbone.") and not n.endswith(BUFFERS)}
    folder.mkdir(parents=True, exist_ok=True)
    config_file = folder / "config.json"
    if is_dit:
        config_file.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    elif not config_file.exists():
        if not (source.parent / "config.json").exists():
            raise MakeError(f"{config_file}: this checkpoint says nothing of its model; put the model's config.json there")
        for beside in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "tokenizer.model"):
            if (source.parent / beside).exists():
                shutil.copy(source.parent / beside, folder / beside)
    write_safetensors(folder / "model.safetensors", file, weights)
    say(f"{folder}: {len(weights)} tensors; look at it with: cinnabar model info {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("folder")
    parser.add_argument("--raw", action="store_true")
    for name in ("--heads", "--block", "--length"):
        parser.add_argument(name, type=int)
    try:
        convert(parser.parse_args())
    except RecursionError:
        sys.exit("convert.py: what was saved is nested too deeply")
    except (MakeError, OSError) as error:
        sys.exit(f"convert.py: {error}")


if __name__ == "__main__":
    main()
