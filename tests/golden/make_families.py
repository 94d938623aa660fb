#!/usr/bin/env python3
"""Tiny random models of the families whose layers are not Llama's, beside those of make_golden.py, in the same form.

Needs numpy (2.4.6) and gguf. Rewrites tests/golden/models/NAME for the names given, or all:
python3 tests/golden/make_families.py [NAME...]

  starcoder2       LayerNorm and biases everywhere, GELU without a gate, tied head; folder                 bfloat16
  starcoder2_gguf  the same as GGUF, head of its own                                                       Q8_0
  gpt2             fused and transposed products, learned positions, no rotation, tied head; folder        float32
  starcoder_gguf   StarCoder's GGUF: fused products, one key/value head, learned positions                     F16
  granite_code     Llama's class with biases on all products, heads of 20 values                           bfloat16
  narrow_heads     Qwen3's class (norms over heads) with heads of 12 values                                bfloat16
  mdlm             DiT with a constant noise level (adaptive LayerNorm), full attention                    bfloat16
  bd3lm            DiT without conditioning, blocks of 8                                                   bfloat16
  llada_moe        6 experts, softmax, weights as they are, first layer dense; folder                      bfloat16
  llada_moe_gguf   the same as GGUF, stacked experts, no dense layer                                       Q8_0
  llada2           8 experts in 2 groups, sigmoid, bias of the choice, shared expert, half of a head turned bfloat16
  qwen3_moe        6 experts, softmax, weights that sum to 1, causal                                       bfloat16
"""
import os
import sys

import numpy as np
from gguf import GGMLQuantizationType as Ggml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dit_oracle  # noqa: E402
import layer_files as files  # noqa: E402
import moe_oracle  # noqa: E402
import oracle  # noqa: E402
import tiny_models as tiny  # noqa: E402
from make_golden import ROOT, Recorder, record_full  # noqa: E402

CAUSAL = dict(attention="block_causal", infill="prefix_then_suffix", logits_shift=1, fim_prefix=260, fim_middle=261,
              fim_suffix=262)
NO_GATE = dict(layer_norm=True, gated_ffn=False, qkv_bias=True, norm_epsilon=1e-5)
GPT2 = dict(**NO_GATE, learned_positions=True, context=128)


def record_causal(name, source, spec, weights, seed, count=16):
    r = Recorder(name, source, spec, weights, seed)
    r.logits("causal", r.text(40), 40, [0, 1, 20, 39])
    r.robust("autoregressive", "greedy", lambda: {"prompt": r.text(20), "count": count}, oracle.autoregressive)
    r.write()


def make_starcoder2():
    spec = tiny.make_spec("tiny starcoder2", tied_head=True, **CAUSAL, **NO_GATE)
    weights = tiny.round_to(files.random_weights(spec, 101), "BF16")
    config = tiny.qwen_config(spec, "Starcoder2ForCausalLM", "starcoder2", hidden_act="gelu_pytorch_tanh", use_bias=True,
                              norm_type="layer_norm", mlp_type="default", norm_epsilon=1e-5, sliding_window=256)
    del config["rms_norm_eps"], config["tie_word_embeddings"]
    spec = {**spec, "context": 256}  # up to where the window changes nothing
    files.write_folder(f"{ROOT}/starcoder2", spec, weights, config, "BF16", files.STARCODER2)
    record_causal("starcoder2", ".", spec, weights, 102)


def make_starcoder2_gguf():
    spec = tiny.make_spec("tiny starcoder2", layers=1, heads=2, kv_heads=1, **CAUSAL, **NO_GATE)
    weights = files.write_gguf(f"{ROOT}/starcoder2_gguf", spec, files.random_weights(spec, 103), "starcoder2", Ggml.Q8_0,
                               files.GGUF)
    record_causal("starcoder2_gguf", "model.gguf", spec, weights, 104)


def make_gpt2():
    spec = tiny.make_spec("tiny gpt2", layers=1, heads=2, kv_heads=2, ffn=256, tied_head=True, **CAUSAL, **GPT2)
    weights = files.random_weights(spec, 105)
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 1, "n_embd": 64, "n_head": 2,
              "n_inner": None, "n_positions": 128, "n_ctx": 128, "vocab_size": spec["vocabulary"],
              "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "bos_token_id": spec["bos"],
              "eos_token_id": spec["end_of_text"], "mask_token_id": spec["mask"], "scale_attn_weights": True}
    files.write_folder(f"{ROOT}/gpt2", spec, weights, config, "F32", files.GPT2)
    record_causal("gpt2", ".", spec, weights, 106)


def make_starcoder_gguf():
    spec = tiny.make_spec("tiny starcoder", layers=1, heads=2, kv_heads=1, ffn=256, **CAUSAL, **GPT2)
    weights = files.write_gguf(f"{ROOT}/starcoder_gguf", spec, files.random_weights(spec, 107), "starcoder", Ggml.F16,
                               files.GGUF_FUSED)
    record_causal("starcoder_gguf", "model.gguf", spec, weights, 108)


def make_granite_code():
    spec = tiny.make_spec("tiny granite", width=40, heads=2, kv_heads=1, head_size=20, tied_head=True, qkv_bias=True,
                          biases=True, norm_epsilon=1e-5, **CAUSAL)
    weights = tiny.round_to(files.random_weights(spec, 109), "BF16")
    config = tiny.qwen_config(spec, "LlamaForCausalLM", "llama", False, attention_bias=True, mlp_bias=True)
    files.write_folder(f"{ROOT}/granite_code", spec, weights, config, "BF16", files.LLAMA)
    record_causal("granite_code", ".", spec, weights, 110)


def make_narrow_heads():
    spec = tiny.make_spec("tiny narrow heads", layers=1, width=36, head_size=12, heads=2, kv_heads=1, qk_norm=True, **CAUSAL)
    weights = tiny.round_to(files.random_weights(spec, 111), "BF16")
    config = tiny.qwen_config(spec, "Qwen3ForCausalLM", "qwen3")
    files.write_folder(f"{ROOT}/narrow_heads", spec, weights, config, "BF16", files.LLAMA)
    record_causal("narrow_heads", ".", spec, weights, 112)


DIT = dict(heads=2, kv_heads=2, ffn=256, layer_norm=True, gated_ffn=False, norm_epsilon=1e-5, context=128)


def dit_config(spec, architecture, **more):
    return {"architectures": [architecture], "model_type": architecture.lower(), "n_blocks": spec["layers"],
            "hidden_dim": spec["width"], "n_heads": spec["heads"], "cond_dim": files.CONDITION, "dropout": 0.1,
            "vocab_size": spec["vocabulary"], "model_length": spec["context"], "time_conditioning": False,
            "mask_token_id": spec["mask"], **more}


def record_blocks(r, length):
    for rule in ({"rule": "threshold", "tau": 0.9}, {"rule": "quota", "count": 2}):
        r.robust("block_diffusion", rule["rule"], lambda rule=rule: {"prompt": r.text(length), "blocks": 2, "rule": rule, "sub_block": 8},
                 oracle.tiled_block_diffusion)


def write_dit(name, spec, config, seed, conditioned):
    weights = tiny.round_to(files.random_dit_weights(spec, seed, conditioned), "BF16")
    files.write_folder(f"{ROOT}/{name}", spec, weights, config, "BF16", files.DIT)
    r = Recorder(name, ".", spec, weights, seed + 1)
    r.model = dit_oracle.DitModel(spec, r.model.w)
    return r


def make_mdlm():
    spec = tiny.make_spec("tiny mdlm", **DIT)
    r = write_dit("mdlm", spec, dit_config(spec, "MDLM"), 121, True)
    record_full(r, [{"rule": "threshold", "tau": 0.9, "block": 8}])
    r.write()


def make_bd3lm():
    spec = tiny.make_spec("tiny bd3lm", **DIT, attention="blocks", infill="prefix_then_suffix", fim_prefix=260,
                          fim_middle=261, fim_suffix=262)
    config = dit_config(spec, "BD3LM", block_size=8, cross_attn=True, adaln=False, causal=False, attn_backend="sdpa",
                        var_min=True)
    r = write_dit("bd3lm", spec, config, 123, False)
    r.logits("blocks", r.text(21) + [spec["mask"]] * 2 + r.text(1), 0, [3, 7, 8, 15, 16, 20, 21, 23])
    record_blocks(r, 20)
    r.write()


def experts(**changes):
    return {"count": 6, "used": 2, "ffn": 32, "shared_ffn": 0, "dense_layers": 0, "sigmoid": False, "choice_bias": False,
            "groups": 1, "groups_used": 1, "renormalise": False, "scale": 1.0, **changes}


def moe_recorder(name, source, spec, weights, seed):
    r = Recorder(name, source, spec, weights, seed)
    r.model = moe_oracle.MoeModel(spec, r.model.w)
    return r


def clear_text(r, length, clean, margin, draw=None):
    """Tokens for which roundings send no row to other experts."""
    for _ in range(20000):
        tokens = draw() if draw else r.text(length)
        model = r.model.variant()
        model.logits(tokens, clean)
        if model.margin > margin:
            return tokens
    raise SystemExit(f"{r.name}: no tokens whose experts are clear")


def moe_config(spec, architecture, model_type, **more):
    e = spec["experts"]
    config = tiny.qwen_config(spec, architecture, model_type, num_experts=e["count"], num_experts_per_tok=e["used"], **more)
    return {k: v for k, v in config.items() if v is not None}


def record_moe_full(r, rules=()):
    mask, bos, end = r.spec["mask"], r.spec["bos"], r.spec["end_of_text"]

    def draw():
        return [bos] + r.text(5) + [mask] * 3 + r.text(4) + [end]
    r.logits("full", clear_text(r, 14, 0, 0.02, draw), 0, [0, 5, 7, 13])
    for rule in rules:
        r.robust("in_place", rule["rule"], lambda rule=rule: {"canvas": [bos] + r.text(8) + [mask] * 8 + r.text(6) + [end],
                                                              "rule": rule}, oracle.in_place)


def make_llada_moe():
    spec = tiny.make_spec("tiny llada-moe", qk_norm=True, norm_epsilon=1e-5, rope_theta=5e4, experts=experts(dense_layers=1))
    weights = tiny.round_to(files.random_moe_weights(spec, 131), "BF16")
    config = moe_config(spec, "LLaDAMoEModelLM", "llada", intermediate_size=None, dense_intermediate_size=spec["ffn"],
                        expert_intermediate_size=32, moe_layer_freq=[0, 1], partial_rotary_factor=1, qk_layernorm=True,
                        moe_router_score_function="softmax", shared_expert_intermediate_size=None, clip_qkv=None)
    files.write_folder(f"{ROOT}/llada_moe", spec, weights, config, "BF16", files.MOE)
    r = moe_recorder("llada_moe", ".", spec, weights, 132)
    record_moe_full(r, [{"rule": "llada_quota", "steps": 4, "block": 4}, {"rule": "threshold", "tau": 0.9, "block": 8}])
    r.write()


def make_llada_moe_gguf():
    spec = tiny.make_spec("tiny llada-moe", layers=1, heads=2, kv_heads=2, qk_norm=True, norm_epsilon=1e-5, experts=experts())
    weights = files.write_gguf(f"{ROOT}/llada_moe_gguf", spec, files.random_moe_weights(spec, 133), "llada-moe", Ggml.Q8_0,
                               files.MOE_GGUF)
    r = moe_recorder("llada_moe_gguf", "model.gguf", spec, weights, 134)
    record_moe_full(r)
    r.write()


def make_llada2():
    spec = tiny.make_spec("tiny llada2", qk_norm=True, rope_theta=6e5, rotary=16, attention="blocks",
                          infill="prefix_then_suffix", fim_prefix=260, fim_middle=261, fim_suffix=262,
                          experts=experts(count=8, ffn=32, shared_ffn=32, dense_layers=1, sigmoid=True, choice_bias=True, groups=2,
                                          groups_used=1, renormalise=True, scale=2.5))
    weights = tiny.round_to(files.random_moe_weights(spec, 135), "BF16")
    config = moe_config(spec, "LLaDA2MoeModelLM", "llada2_moe", moe_intermediate_size=32, num_shared_experts=1, n_group=2,
                        topk_group=1, first_k_dense_replace=1, routed_scaling_factor=2.5, norm_topk_prob=True,
                        score_function="sigmoid", partial_rotary_factor=0.5, moe_router_enable_expert_bias=True, use_bias=False,
                        use_qkv_bias=False, block_size=8)
    files.write_folder(f"{ROOT}/llada2", spec, weights, config, "BF16", files.LLADA2)
    r = moe_recorder("llada2", ".", spec, weights, 136)

    def draw():
        return r.text(10) + [spec["mask"]] * 2
    r.logits("blocks", clear_text(r, 12, 0, 0.02, draw), 0, [3, 7, 8, 11])
    record_blocks(r, 12)
    r.write()


def make_qwen3_moe():
    spec = tiny.make_spec("tiny qwen3-moe", layers=1, qk_norm=True, rope_theta=1e6, tied_head=True, experts=experts(renormalise=True),
                          **CAUSAL)
    weights = tiny.round_to(files.random_moe_weights(spec, 137), "BF16")
    config = moe_config(spec, "Qwen3MoeForCausalLM", "qwen3_moe", moe_intermediate_size=32, norm_topk_prob=True,
                        decoder_sparse_step=1, mlp_only_layers=[])
    files.write_folder(f"{ROOT}/qwen3_moe", spec, weights, config, "BF16", files.MOE)
    r = moe_recorder("qwen3_moe", ".", spec, weights, 138)
    r.logits("causal", clear_text(r, 14, 14, 0.02), 14, [0, 1, 7, 13])
    r.robust("autoregressive", "greedy", lambda: {"prompt": r.text(12), "count": 8}, oracle.autoregressive)
    r.write()


MODELS = {f.__name__.removeprefix("make_"): f for f in (make_starcoder2, make_starcoder2_gguf, make_gpt2,
                                                        make_starcoder_gguf, make_granite_code, make_narrow_heads,
                                                        make_mdlm, make_bd3lm, make_llada_moe, make_llada_moe_gguf,
                                                        make_llada2, make_qwen3_moe)}


def main():
    np.seterr(all="raise", under="ignore")
    for name in sys.argv[1:] or MODELS:
        MODELS[name]()


if __name__ == "__main__":
    main()
