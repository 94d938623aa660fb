#!/usr/bin/env python3
"""What the embedded default model must say about five prompts: tests/golden/default_model/expected.json.

    python3 tests/golden/make_default_model_golden.py MODEL.gguf       (numpy, gguf and tokenizers; about two minutes)

Reads the model's GGUF file (one file, not its parts), dequantises layer by layer and runs a float64 forward of its own. A second
pass simulates the engine's int8 arithmetic: weights and activations as 8-bit integers with a scale per group of 128 of a row, and
q, k, v and attention probabilities in bfloat16. The distance of both passes is recorded: it is what a tolerance must allow.

THE FORM OF expected.json
  format 1, made_with, model_sha256
  prompts  list of {name, language, prefix, suffix (the texts), tokens [T], rows}
           tokens: <|fim_prefix|> <|fim_suffix|> suffix <|fim_middle|> prefix, prefix and suffix encoded separately. Plain causal rows.
  rows     list of {row, log_sum_exp, top: 10 of [token, logit], descending, int8: {...}}; over all 40,960 tokens, none forbidden.
           row r predicts token r + 1. int8 holds {log_sum_exp, kl, same_best, top_error}: of the simulated int8 pass, KL(f64 || int8) in
           nats, whether the largest logit is the same token's, largest |difference| of the ten logits.
  int8_worst  the largest of these over all rows: log_sum_exp_error, top_error, kl; mean_kl; same_best (count) of rows (count)
  bf16_attention_worst  the same for exact products with only q, k, v and probabilities in bfloat16
"""
import hashlib
import importlib.metadata
import json
import os
import platform
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from oracle import rms_norm, softmax, to_bf16

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "default_model")
GROUP = 128
EXTRA_ROWS = 8
PASSES = ("exact", "bf16_attention", "int8")
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def int8_groups(x):
    """Nearest value on each group's symmetric 8-bit grid."""
    rows, cols = x.shape
    padded = np.pad(x, ((0, 0), (0, -cols % GROUP))).reshape(rows, -1, GROUP)
    scale = np.abs(padded).max(-1, keepdims=True) / 127
    scale[scale == 0] = 1
    return (np.clip(np.rint(padded / scale), -127, 127) * scale).reshape(rows, -1)[:, :cols]


class File:
    def __init__(self, path):
        self.reader = GGUFReader(path)
        self.tensors = {t.name: t for t in self.reader.tensors}

    def tensor(self, name):
        t = self.tensors[name]
        return dequantize(t.data, t.tensor_type).astype(np.float64)

    def value(self, key):
        return self.reader.fields[key].contents()

    def tokenizer(self):
        tokens, merges = self.value("tokenizer.ggml.tokens"), self.value("tokenizer.ggml.merges")
        kinds = self.value("tokenizer.ggml.token_type")
        ids = {t: i for i, t in enumerate(tokens) if kinds[i] == 1}
        made = Tokenizer(models.BPE(vocab=ids, merges=[tuple(m.split(" ")) for m in merges]))
        made.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        return made


def rotate(x, theta):
    half = x.shape[-1] // 2
    angle = np.arange(len(x))[:, None, None] * theta ** (-np.arange(half) / half)
    first, second = x[..., :half], x[..., half:]
    return np.concatenate([first * np.cos(angle) - second * np.sin(angle), second * np.cos(angle) + first * np.sin(angle)], -1)


def attend(q, k, v, rounded):
    """Causal attention of one prompt: q [T, H, E], k and v [T, K, E]."""
    rounding = to_bf16 if rounded else lambda x: x
    share = q.shape[1] // k.shape[1]
    q, k, v = rounding(q), np.repeat(rounding(k), share, 1), np.repeat(rounding(v), share, 1)
    scores = np.einsum("qhe,khe->hqk", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(np.triu(np.ones(scores.shape[1:], bool), 1), -np.inf, scores)
    return np.einsum("hqk,khe->qhe", rounding(softmax(scores)), v).reshape(len(q), -1)


class Forward:
    """All prompts through the layers side by side, once per pass, so that every layer is dequantised once."""

    def __init__(self, file, prompts):
        self.file, self.ends = file, np.cumsum([len(p) for p in prompts])
        prefix = "qwen2."
        self.layers, self.heads = file.value(prefix + "block_count"), file.value(prefix + "attention.head_count")
        self.kv_heads, self.theta = file.value(prefix + "attention.head_count_kv"), file.value(prefix + "rope.freq_base")
        self.eps = file.value(prefix + "attention.layer_norm_rms_epsilon")
        self.table = file.tensor("token_embd.weight")
        start = self.table[np.concatenate(prompts)]
        self.x = {p: start.copy() for p in PASSES}

    def products(self, inputs, name, bias=None):
        weight = self.file.tensor(name)
        out = {}
        for p, x in inputs.items():
            out[p] = int8_groups(x) @ int8_groups(weight).T if p == "int8" else x @ weight.T
            if bias:
                out[p] = out[p] + self.file.tensor(bias)
        return out

    def layer(self, number):
        stem = f"blk.{number}."
        norm = self.file.tensor(stem + "attn_norm.weight")
        h = {p: rms_norm(x, norm, self.eps) for p, x in self.x.items()}
        q, k, v = (self.products(h, f"{stem}attn_{c}.weight", f"{stem}attn_{c}.bias") for c in "qkv")
        attended = {p: np.concatenate([self.attention(q[p][a:b], k[p][a:b], v[p][a:b], p != "exact")
                                       for a, b in zip([0, *self.ends], self.ends)]) for p in PASSES}
        self.add(self.products(attended, stem + "attn_output.weight"))
        norm = self.file.tensor(stem + "ffn_norm.weight")
        h = {p: rms_norm(x, norm, self.eps) for p, x in self.x.items()}
        gate, up = self.products(h, stem + "ffn_gate.weight"), self.products(h, stem + "ffn_up.weight")
        self.add(self.products({p: gate[p] / (1 + np.exp(-gate[p])) * up[p] for p in PASSES}, stem + "ffn_down.weight"))

    def attention(self, q, k, v, rounded):
        q, k, v = (x.reshape(len(x), n, -1) for x, n in ((q, self.heads), (k, self.kv_heads), (v, self.kv_heads)))
        return attend(rotate(q, self.theta), rotate(k, self.theta), v, rounded)

    def add(self, update):
        for p in PASSES:
            self.x[p] = self.x[p] + update[p]

    def logits(self, rows):
        norm = self.file.tensor("output_norm.weight")
        h = {p: rms_norm(x[rows], norm, self.eps) for p, x in self.x.items()}
        return {p: int8_groups(x) @ int8_groups(self.table).T if p == "int8" else x @ self.table.T for p, x in h.items()}


def log_sum_exp(row):
    return float(row.max() + np.log(np.exp(row - row.max()).sum()))


def compare(exact, other):
    top = np.argsort(-exact, kind="stable")[:10]
    a, b = exact - log_sum_exp(exact), other - log_sum_exp(other)
    return {"log_sum_exp": round(log_sum_exp(other), 5), "kl": float(f"{(np.exp(a) * (a - b)).sum():.3g}"),
            "same_best": bool(exact.argmax() == other.argmax()),
            "top_error": float(f"{np.abs(exact[top] - other[top]).max():.4g}")}


def describe(row, exact, int8):
    top = np.argsort(-exact, kind="stable")[:10]
    return {"row": row, "log_sum_exp": round(log_sum_exp(exact), 5), "top": [[int(t), round(float(exact[t]), 5)] for t in top],
            "int8": compare(exact, int8)}


def worst(exact, others):
    found = [compare(e, o) for e, o in zip(exact, others)]
    return {"log_sum_exp_error": round(max(abs(f["log_sum_exp"] - log_sum_exp(e)) for f, e in zip(found, exact)), 5),
            "top_error": max(f["top_error"] for f in found), "kl": max(f["kl"] for f in found),
            "mean_kl": float(f"{np.mean([f['kl'] for f in found]):.3g}"),
            "same_best": sum(f["same_best"] for f in found), "rows": len(found)}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 24):
            digest.update(piece)
    return digest.hexdigest()


def main():
    file = File(sys.argv[1])
    tokenizer = file.tokenizer()
    fim = [file.value(f"tokenizer.ggml.fim_{n}_token_id") for n in ("pre", "suf", "mid")]
    with open(f"{HERE}/prompts.json", encoding="utf-8") as f:
        prompts = json.load(f)
    for p in prompts:
        p["tokens"] = [*fim[:2], *tokenizer.encode(p["suffix"]).ids, fim[2], *tokenizer.encode(p["prefix"]).ids]
    forward = Forward(file, [p["tokens"] for p in prompts])
    for number in range(forward.layers):
        forward.layer(number)
        print(f"layer {number}", file=sys.stderr, flush=True)
    starts = [0, *forward.ends[:-1]]
    picks = [sorted({*np.linspace(3, len(p["tokens"]) - 1, EXTRA_ROWS + 1).astype(int).tolist()}) for p in prompts]
    logits = forward.logits([start + r for start, rows in zip(starts, picks) for r in rows])
    at = 0
    for p, rows in zip(prompts, picks):
        p["rows"] = [describe(r, logits["exact"][at + i], logits["int8"][at + i]) for i, r in enumerate(rows)]
        at += len(rows)
    versions = {n: importlib.metadata.version(n) for n in ("numpy", "gguf", "tokenizers")}
    out = {"format": 1, "made_with": {"python": platform.python_version(), **versions, "arithmetic": "float64"},
           "model_sha256": sha256(sys.argv[1]), "int8_worst": worst(logits["exact"], logits["int8"]),
           "bf16_attention_worst": worst(logits["exact"], logits["bf16_attention"]), "prompts": prompts}
    with open(f"{HERE}/expected.json", "w", encoding="utf-8") as f:
        f.write(json.dumps(out, ensure_ascii=False).replace('{"row"', '\n {"row"').replace('{"name"', '\n{"name"') + "\n")
    print(json.dumps({k: out[k] for k in ("int8_worst", "bf16_attention_worst")}, indent=1))


if __name__ == "__main__":
    main()
