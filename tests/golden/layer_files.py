"""Random weights of layers that are not Llama's, and the files that hold them, for make_families.py."""
import os

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quants

import tiny_models as tiny

NORMS = ("attention_norm", "ffn_norm", "final_norm")


def random_weights(spec, seed):
    """tiny_models.random_weights, and biases, positions and LayerNorms where the spec has them."""
    random = np.random.default_rng(seed + 1000)
    w = tiny.random_weights(spec, seed)
    bias_all = spec.get("biases") or not spec.get("gated_ffn", True)
    for name in list(w):
        inner = name.split(".")[-1]
        if inner == "gate" and not spec.get("gated_ffn", True):
            del w[name]
        elif inner in tiny.LINEAR and bias_all or inner in NORMS and spec.get("layer_norm"):
            w[f"{name}.bias"] = (random.standard_normal(len(w[name])) * 0.2).astype(np.float32)
    if spec.get("learned_positions"):
        w["positions"] = (random.standard_normal((spec["context"], spec["width"])) * 0.5).astype(np.float32)
    return w


def random_dit_weights(spec, seed, conditioned):
    """Biases in the feed-forward part and the head alone, norms without; modulations of a size that matters."""
    w, random = tiny.random_weights(spec, seed), np.random.default_rng(seed + 2000)

    def linear(name, rows, cols, std):
        w[name] = (random.standard_normal((rows, cols)) * std).astype(np.float32)
        w[f"{name}.bias"] = (random.standard_normal(rows) * std).astype(np.float32)

    for name in list(w):
        if name.endswith(".gate"):
            del w[name]
        elif name.endswith((".up", ".down")) or name == "head":
            w[f"{name}.bias"] = (random.standard_normal(len(w[name])) * 0.2).astype(np.float32)
    if conditioned:
        w["head"] *= np.float32(0.4)  # scales make the rows large, and probabilities near 1 are equal in float32
        linear("sigma.0", CONDITION, 256, 0.2)
        linear("sigma.2", CONDITION, CONDITION, 0.5)
        linear("modulation", 2 * spec["width"], CONDITION, 0.3)
        for layer in range(spec["layers"]):
            linear(f"{layer}.modulation", 6 * spec["width"], CONDITION, 0.3)
    return w


def random_moe_weights(spec, seed):
    """Experts as [X, F, D], [X, F, D] and [X, D, F], and what every row goes through besides."""
    w, random, e = tiny.random_weights(spec, seed), np.random.default_rng(seed + 3000), spec["experts"]

    def parts(f, *stack):
        for part, shape in (("gate", (f, spec["width"])), ("up", (f, spec["width"])), ("down", (spec["width"], f))):
            yield part, (random.standard_normal((*stack, *shape)) * 1.5 / np.sqrt(shape[-1])).astype(np.float32)

    for layer in range(e["dense_layers"], spec["layers"]):
        for part in ("gate", "up", "down"):
            del w[f"{layer}.{part}"]
        w |= {f"{layer}.experts.{part}": x for part, x in parts(e["ffn"], e["count"])}
        w[f"{layer}.router"] = (random.standard_normal((e["count"], spec["width"])) * 0.3).astype(np.float32)
        if e["shared_ffn"]:
            w |= {f"{layer}.shared.{part}": x for part, x in parts(e["shared_ffn"])}
        if e["choice_bias"]:
            w[f"{layer}.choice_bias"] = (random.standard_normal(e["count"]) * 0.1).astype(np.float32)
    return w


CONDITION = 16  # values of the vector that says the noise level


class Names:
    """What tensors are called: of the whole model, of a layer, and how the layers are written."""

    def __init__(self, outer, layer, prefix, fused=None, transposed=False, experts=None):
        self.outer, self.layer, self.prefix, self.fused, self.transposed = outer, layer, prefix, fused, transposed
        self.experts = experts  # names by "router", "choice_bias", "experts", "shared"; stacked: "experts" has {part}


LLAMA = Names(tiny.HF_OUTER, tiny.HF_LAYER, "model.layers.")
STARCODER2 = Names(tiny.HF_OUTER | {"final_norm.bias": "model.norm.bias"},
                   tiny.HF_LAYER | {"up": "mlp.c_fc", "down": "mlp.c_proj"}, "model.layers.")
GPT2 = Names({"embedding": "wte.weight", "positions": "wpe.weight", "final_norm": "ln_f.weight", "final_norm.bias": "ln_f.bias"},
             {"o": "attn.c_proj", "attention_norm": "ln_1", "ffn_norm": "ln_2", "up": "mlp.c_fc", "down": "mlp.c_proj"}, "h.",
             "attn.c_attn", True)
DIT = Names({"embedding": "backbone.vocab_embed.embedding", "final_norm": "backbone.output_layer.norm_final.weight",
             "head": "backbone.output_layer.linear.weight", "head.bias": "backbone.output_layer.linear.bias"} |
            {f"{a}{x}": f"backbone.{b}.{y}" for a, b in (("sigma.0", "sigma_map.mlp.0"), ("sigma.2", "sigma_map.mlp.2"),
                                                         ("modulation", "output_layer.adaLN_modulation"))
             for x, y in (("", "weight"), (".bias", "bias"))},
            {"o": "attn_out", "attention_norm": "norm1", "ffn_norm": "norm2", "up": "mlp.0", "down": "mlp.2",
             "modulation": "adaLN_modulation"}, "backbone.blocks.", "attn_qkv")
HF_EXPERTS = {"router": "mlp.gate.weight", "experts": "mlp.experts.{index}.{part}_proj.weight",
              "shared": "mlp.shared_experts.{part}_proj.weight", "choice_bias": "mlp.gate.expert_bias"}
MOE = Names(tiny.HF_OUTER, tiny.HF_LAYER, "model.layers.", experts=HF_EXPERTS)
LLADA2 = Names(tiny.HF_OUTER | {"embedding": "model.word_embeddings.weight"},
               tiny.HF_LAYER | {"o": "attention.dense", "q_norm": "attention.query_layernorm", "k_norm": "attention.key_layernorm"},
               "model.layers.", "attention.query_key_value", experts=HF_EXPERTS)
MOE_GGUF = Names(tiny.GGUF_OUTER, tiny.GGUF_LAYER | {"q_norm": "attn_q_norm", "k_norm": "attn_k_norm"}, "blk.",
                 experts={"router": "ffn_gate_inp.weight", "experts": "ffn_{part}_exps.weight"})
GGUF = Names(tiny.GGUF_OUTER | {"final_norm.bias": "output_norm.bias"}, tiny.GGUF_LAYER, "blk.")
GGUF_FUSED = Names(GGUF.outer | {"positions": "position_embd.weight"}, tiny.GGUF_LAYER, "blk.", "attn_qkv")


def tensors_of(spec, weights, names):
    out, left = {}, dict(weights)
    for name in [n for n in weights if names.experts and n.split(".")[1:2] and n.split(".")[1] in names.experts]:
        layer, kind, *part = name.split(".")
        x, form = left.pop(name), f"{names.prefix}{layer}.{names.experts[kind]}"
        each = enumerate(x) if "{index}" in form else [(0, x)]
        out |= {form.format(index=i, part="".join(part)): values for i, values in each}
    for layer in range(spec["layers"]) if names.fused else ():
        for kind, end in (("weight", ""), ("bias", ".bias")) if f"{layer}.q.bias" in left else (("weight", ""),):
            parts = [left.pop(f"{layer}.{part}{end}") for part in "qkv"]
            out[f"{names.prefix}{layer}.{names.fused}.{kind}"] = np.concatenate(parts)
    out |= tiny.renamed(left, names.outer, names.layer, names.prefix)
    if names.transposed:
        out = {n: x.T if n.startswith(names.prefix) and x.ndim == 2 else x for n, x in out.items()}
        for layer in range(spec["layers"]):  # old files hold the causal mask, too
            out[f"{names.prefix}{layer}.attn.bias"] = np.tril(np.ones((1, 1, 4, 4), np.float32))
    return out


def write_folder(folder, spec, weights, config, dtype, names):
    os.makedirs(folder, exist_ok=True)
    tiny.write_json(f"{folder}/config.json", {**config, "torch_dtype": {"BF16": "bfloat16", "F32": "float32"}[dtype]})
    tiny.write_json(f"{folder}/tokenizer.json", tiny.byte_tokenizer(spec))
    tiny.write_safetensors(f"{folder}/model.safetensors", tensors_of(spec, weights, names), dtype)


def write_gguf(folder, spec, weights, architecture, kind, names):
    """Writes the file, matrices as `kind`, and returns the weights as a reader of it sees them."""
    os.makedirs(folder, exist_ok=True)
    writer = GGUFWriter(f"{folder}/model.gguf", architecture)
    add_sizes(writer, spec)
    add_tokens(writer, spec)
    def kind_of(name, x):
        small = "position" in name or "router" in name or "gate_inp" in name
        return kind if x.ndim > 1 and not small else GGMLQuantizationType.F32

    for name, x in tensors_of(spec, weights, names).items():
        x = np.ascontiguousarray(x, np.float32)
        writer.add_tensor(name, quants.quantize(x, kind_of(name, x)), raw_dtype=kind_of(name, x))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # Quantisation works on rows, so the parts of a fused matrix are what they are in it.
    return {n: quants.dequantize(quants.quantize(x, kind_of(n, x)), kind_of(n, x)).astype(np.float32)
            for n, x in weights.items()}


def add_sizes(writer, spec):
    writer.add_context_length(spec["context"])
    writer.add_embedding_length(spec["width"])
    writer.add_block_count(spec["layers"])
    writer.add_feed_forward_length(spec["ffn"])
    writer.add_head_count(spec["heads"])
    writer.add_head_count_kv(spec["kv_heads"])
    if "experts" in spec:
        writer.add_key_length(spec["head_size"])
        writer.add_expert_count(spec["experts"]["count"])
        writer.add_expert_used_count(spec["experts"]["used"])
        writer.add_expert_feed_forward_length(spec["experts"]["ffn"])
    if not spec.get("learned_positions"):
        writer.add_rope_freq_base(spec["rope_theta"])
    if spec.get("layer_norm"):
        writer.add_layer_norm_eps(spec["norm_epsilon"])
    else:
        writer.add_layer_norm_rms_eps(spec["norm_epsilon"])


def add_tokens(writer, spec):
    names = {i: t for t, i in tiny.SPECIALS.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tiny.byte_characters() +
                          [names.get(i, f"<|unused_{i}|>") for i in range(256, spec["vocabulary"])])
    writer.add_token_types([TokenType.NORMAL] * 256 + [TokenType.CONTROL] * 8 +
                           [TokenType.UNUSED] * (spec["vocabulary"] - 264))
    writer.add_token_merges([])
    writer.add_bos_token_id(spec["bos"])
    writer.add_eos_token_id(spec["end_of_text"])
    writer.add_mask_token_id(spec["mask"])
