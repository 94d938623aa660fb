"""Random weights for make_golden.py and the files that hold them: Hugging Face folders, GGUF, PEFT adapters."""
import json
import os
import struct

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quants

from oracle import to_bf16

SPECIALS = {"<|mask|>": 256, "<|endoftext|>": 257, "<|bos|>": 258, "<|expand|>": 259, "<|fim_prefix|>": 260,
            "<|fim_middle|>": 261, "<|fim_suffix|>": 262, "<|pad|>": 263}
VOCABULARY = 288  # bytes, specials, and rows that no token uses
LINEAR = ("q", "k", "v", "o", "gate", "up", "down")


def make_spec(family, **changes):
    spec = dict(family=family, layers=2, width=64, heads=4, kv_heads=2, head_size=32, ffn=96, vocabulary=VOCABULARY,
                context=512, norm_epsilon=1e-6, rope_theta=1e4, qkv_bias=False, qk_norm=False, tied_head=False,
                rope_interleaved=False, attention="full", infill="in_place", logits_shift=0, block_length=8, mask=256,
                bos=258, end_of_text=257, hole_end=-1, expand=-1, erase=-1, fim_prefix=-1, fim_middle=-1, fim_suffix=-1)
    spec.update(changes)
    unused = list(range(264, VOCABULARY))
    forbidden = {*SPECIALS.values(), *unused} - {spec["end_of_text"], spec["expand"]}
    spec["never_generated"] = sorted(forbidden)
    return spec


def shapes(spec):
    d, f, e = spec["width"], spec["ffn"], spec["head_size"]
    q, kv = spec["heads"] * e, spec["kv_heads"] * e
    return {"q": (q, d), "k": (kv, d), "v": (kv, d), "o": (d, q), "gate": (f, d), "up": (f, d), "down": (d, f)}


def random_weights(spec, seed, head_std=0.7):
    """float32 values. Standard deviations are chosen so that attention is selective and logits have a spread of about 5."""
    random = np.random.default_rng(seed)

    def normal(shape, std):
        return (random.standard_normal(shape) * std).astype(np.float32)

    def norm_weight(size):
        return (1 + 0.2 * random.standard_normal(size)).astype(np.float32)

    w = {"embedding": normal((VOCABULARY, spec["width"]), head_std), "final_norm": norm_weight(spec["width"])}
    if not spec["tied_head"]:
        w["head"] = normal((VOCABULARY, spec["width"]), head_std)
    for layer in range(spec["layers"]):
        for name, (n, k) in shapes(spec).items():
            w[f"{layer}.{name}"] = normal((n, k), 2.0 / np.sqrt(k) if name in "qk" else 1.2 / np.sqrt(k))
            if spec["qkv_bias"] and name in "qkv":
                w[f"{layer}.{name}.bias"] = normal(n, 0.2)
        for name in ("attention_norm", "ffn_norm"):
            w[f"{layer}.{name}"] = norm_weight(spec["width"])
        if spec["qk_norm"]:
            for name in ("q_norm", "k_norm"):
                w[f"{layer}.{name}"] = (1.5 * norm_weight(spec["head_size"])).astype(np.float32)
    return w


def round_to(weights, dtype):
    return {n: to_bf16(x).astype(np.float32) for n, x in weights.items()} if dtype == "BF16" else weights


# --- Hugging Face ---------------------------------------------------------------------------------------------------------

def write_safetensors(path, tensors, dtype):
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, x in tensors.items():
        x = np.ascontiguousarray(x, np.float32)
        blob = (x.view(np.uint32) >> np.uint32(16)).astype("<u2").tobytes() if dtype == "BF16" else x.astype("<f4").tobytes()
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


HF_LAYER = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj",
            "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj", "attention_norm": "input_layernorm",
            "ffn_norm": "post_attention_layernorm", "q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm"}
HF_OUTER = {"embedding": "model.embed_tokens.weight", "final_norm": "model.norm.weight", "head": "lm_head.weight"}
LLADA_LAYER = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "attn_out", "gate": "ff_proj", "up": "up_proj",
               "down": "ff_out", "attention_norm": "attn_norm", "ffn_norm": "ff_norm"}
LLADA_OUTER = {"embedding": "model.transformer.wte.weight", "final_norm": "model.transformer.ln_f.weight",
               "head": "model.transformer.ff_out.weight"}
GGUF_LAYER = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "gate": "ffn_gate", "up": "ffn_up",
              "down": "ffn_down", "attention_norm": "attn_norm", "ffn_norm": "ffn_norm"}
GGUF_OUTER = {"embedding": "token_embd.weight", "final_norm": "output_norm.weight", "head": "output.weight"}


def renamed(weights, outer, layer_names, layer_prefix):
    out = {}
    for name, x in weights.items():
        if name in outer:
            out[outer[name]] = x
            continue
        layer, inner, *bias = name.split(".")
        out[f"{layer_prefix}{layer}.{layer_names[inner]}.{'bias' if bias else 'weight'}"] = x
    return out


def write_hf(folder, spec, weights, config, dtype, shards=1):
    os.makedirs(folder, exist_ok=True)
    llada = config["model_type"] == "llada"
    names = (LLADA_OUTER, LLADA_LAYER, "model.transformer.blocks.") if llada else (HF_OUTER, HF_LAYER, "model.layers.")
    tensors = renamed(weights, *names)
    config = {**config, "torch_dtype": {"BF16": "bfloat16", "F32": "float32"}[dtype]}
    write_json(f"{folder}/config.json", config)
    write_json(f"{folder}/tokenizer.json", byte_tokenizer(spec))
    if shards == 1:
        write_safetensors(f"{folder}/model.safetensors", tensors, dtype)
        return
    keys, where = list(tensors), {}
    for i in range(shards):
        file = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        part = {k: tensors[k] for k in keys[i::shards]}
        write_safetensors(f"{folder}/{file}", part, dtype)
        where.update({k: file for k in part})
    size = sum(x.size for x in tensors.values()) * (2 if dtype == "BF16" else 4)
    write_json(f"{folder}/model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": where})


def qwen_config(spec, architecture, model_type, with_head_size=True, **more):
    config = {"architectures": [architecture], "model_type": model_type, "hidden_size": spec["width"],
              "num_hidden_layers": spec["layers"], "num_attention_heads": spec["heads"],
              "num_key_value_heads": spec["kv_heads"], "intermediate_size": spec["ffn"], "vocab_size": spec["vocabulary"],
              "max_position_embeddings": spec["context"], "rms_norm_eps": spec["norm_epsilon"],
              "rope_theta": spec["rope_theta"], "tie_word_embeddings": spec["tied_head"], "hidden_act": "silu",
              "bos_token_id": spec["bos"], "eos_token_id": spec["end_of_text"], "mask_token_id": spec["mask"]}
    return {**config, **({"head_dim": spec["head_size"]} if with_head_size else {}), **more}


def llada_config(spec):
    return {"architectures": ["LLaDAModelLM"], "model_type": "llada", "block_type": "llama", "activation_type": "silu",
            "d_model": spec["width"], "n_layers": spec["layers"], "n_heads": spec["heads"], "n_kv_heads": spec["kv_heads"],
            "mlp_hidden_size": spec["ffn"], "vocab_size": spec["vocabulary"], "embedding_size": spec["vocabulary"],
            "max_sequence_length": spec["context"], "rms_norm_eps": spec["norm_epsilon"], "rope_theta": spec["rope_theta"],
            "rope": True, "layer_norm_type": "rms", "include_bias": False, "include_qkv_bias": False,
            "weight_tying": False, "mask_token_id": spec["mask"], "eos_token_id": spec["end_of_text"],
            "pad_token_id": SPECIALS["<|pad|>"]}


def byte_characters():
    """GPT-2's printable stand-ins: byte b is token b."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    table = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [table[b] for b in range(256)]


def byte_tokenizer(spec):
    # The reader takes a Dream model whose tokenizer has <|expand|> for one that was trained to use it, as DreamOn is.
    names = {i: "<|spare|>" if t == "<|expand|>" and spec["expand"] < 0 else t for t, i in SPECIALS.items()}
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, t in names.items()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {c: i for i, c in enumerate(byte_characters())}, "merges": []}}


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1, ensure_ascii=False)
        f.write("\n")


# --- GGUF -----------------------------------------------------------------------------------------------------------------

def interleaved(x, heads):
    """Rows of one head reordered from halves (i, i + E/2) to neighbours (2i, 2i + 1)."""
    return x.reshape(heads, 2, -1, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def write_gguf(path, spec, weights, architecture, types):
    """Writes the file and returns the weights as a reader of it sees them (quantised). `types`: name -> ggml type."""
    writer = GGUFWriter(path, architecture)
    writer.add_name(f"tiny {architecture}")
    writer.add_context_length(spec["context"])
    writer.add_embedding_length(spec["width"])
    writer.add_block_count(spec["layers"])
    writer.add_feed_forward_length(spec["ffn"])
    writer.add_head_count(spec["heads"])
    writer.add_head_count_kv(spec["kv_heads"])
    writer.add_key_length(spec["head_size"])
    writer.add_value_length(spec["head_size"])
    writer.add_rope_dimension_count(spec["head_size"])
    writer.add_rope_freq_base(spec["rope_theta"])
    writer.add_layer_norm_rms_eps(spec["norm_epsilon"])
    writer.add_vocab_size(spec["vocabulary"])
    names = {i: t for t, i in SPECIALS.items()}
    tokens = byte_characters() + [names.get(i, f"<|unused_{i}|>") for i in range(256, VOCABULARY)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * 256 + [TokenType.CONTROL] * 8 + [TokenType.UNUSED] * (VOCABULARY - 264))
    writer.add_token_merges([])
    writer.add_bos_token_id(spec["bos"])
    writer.add_eos_token_id(spec["end_of_text"])
    writer.add_mask_token_id(spec["mask"])
    seen = {}
    for name, x in weights.items():
        file_name = renamed({name: x}, GGUF_OUTER, GGUF_LAYER, "blk.").popitem()[0]
        stored = np.ascontiguousarray(x, np.float32)
        heads = {"q": spec["heads"], "k": spec["kv_heads"]}.get(name.split(".")[-1])
        if spec["rope_interleaved"] and heads:
            stored = np.ascontiguousarray(interleaved(stored, heads))
        kind = types(name) if x.ndim == 2 else GGMLQuantizationType.F32
        data = quants.quantize(stored, kind)
        writer.add_tensor(file_name, data, raw_dtype=kind)
        # Quantisation works on rows, so the reading of the unpermuted matrix is the permuted reading put back in order.
        seen[name] = quants.dequantize(quants.quantize(np.ascontiguousarray(x, np.float32), kind), kind).astype(np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return seen


# --- adapters -------------------------------------------------------------------------------------------------------------

def random_adapter(spec, seed, rank, alpha):
    random = np.random.default_rng(seed)
    adapter = {}
    for layer in range(spec["layers"]):
        for name, (n, k) in shapes(spec).items():
            a = (random.standard_normal((rank, k)) / np.sqrt(k)).astype(np.float32)
            b = (random.standard_normal((n, rank)) * 0.3).astype(np.float32)
            adapter[f"{layer}.{name}"] = (a, b, alpha / rank)
    return adapter


def write_adapter(folder, adapter, rank, alpha, gated):
    os.makedirs(folder, exist_ok=True)
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": alpha, "lora_dropout": 0.0,
              "bias": "none", "fan_in_fan_out": False, "use_rslora": False, "use_dora": False, "rank_pattern": {},
              "alpha_pattern": {}, "modules_to_save": None, "base_model_name_or_path": "tiny",
              "target_modules": [HF_LAYER[name].split(".")[1] for name in LINEAR]}
    if gated:
        config["cinnabar_gated"] = True
    write_json(f"{folder}/adapter_config.json", config)
    tensors = {}
    for key, (a, b, _) in adapter.items():
        layer, name = key.split(".")
        stem = f"base_model.model.model.layers.{layer}.{HF_LAYER[name]}"
        tensors[f"{stem}.lora_A.weight"], tensors[f"{stem}.lora_B.weight"] = a, b
    write_safetensors(f"{folder}/adapter_model.safetensors", tensors, "F32")


def merged(weights, adapter):
    out = dict(weights)
    for name, (a, b, scale) in adapter.items():
        out[name] = weights[name].astype(np.float64) + b.astype(np.float64) @ a.astype(np.float64) * scale
    return out
