#!/usr/bin/env python3
"""The level to expect: greedy first lines of the default model on the single-line holes, by a plain f32 PyTorch forward.

    python3 tests/holes/reference_level.py MODEL.gguf PLAIN.jsonl HEALED.jsonl [--every N] < tests/holes/single_line.jsonl
    cinnabar eval tests/holes/single_line.jsonl --answers PLAIN.jsonl --most 0

Needs torch, numpy, gguf and tokenizers. Prompt: <|fim_prefix|> <|fim_suffix|> suffix <|fim_middle|> prefix. The answer ends before
the first newline, at a special token or after 48 tokens. One forward a token, so nfe = tokens. Every hole is answered twice:
  plain   the prefix is encoded as it is, blanks at its end included
  healed  those blanks are left to the model, which writes them itself: most tokens carry their leading blank
"""
import argparse
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from gguf.quants import dequantize

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from make_default_model_golden import File  # noqa: E402

HEADS, KV_HEADS, HEAD, LAYERS, FIRST_SPECIAL, LIMIT = 14, 2, 64, 24, 40896, 48
FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX = 40912, 40913, 40914


def bytes_of_token_characters():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


class Model:
    def __init__(self, path):
        file = File(path)
        self.tokenizer, self.characters = file.tokenizer(), bytes_of_token_characters()
        self.tokens = file.value("tokenizer.ggml.tokens")
        self.w = {}
        for name, t in file.tensors.items():
            x = torch.tensor(dequantize(t.data, t.tensor_type))
            self.w[name] = x.float()

    def linear(self, x, name):
        out = F.linear(x, self.w[name + ".weight"])
        return out + self.w[name + ".bias"] if name + ".bias" in self.w else out

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.w[name + ".weight"]

    def forward(self, ids, cache):
        """The last row's logits; appends the rows' keys and values to cache (one [K, V] pair a layer)."""
        past = cache[0][0].shape[1] if cache else 0
        position = torch.arange(past, past + len(ids)).float()
        angle = position[:, None] * 1e6 ** (-torch.arange(HEAD // 2) / (HEAD // 2))
        cos, sin = (torch.cat([f(angle)] * 2, -1) for f in (torch.cos, torch.sin))
        seen = torch.ones(len(ids), past + len(ids), dtype=torch.bool).tril(past)
        x = self.w["token_embd.weight"][torch.tensor(ids)]
        for layer in range(LAYERS):
            stem = f"blk.{layer}."
            h = self.norm(x, stem + "attn_norm")
            q, k, v = (self.linear(h, f"{stem}attn_{c}").view(len(ids), -1, HEAD).transpose(0, 1) for c in "qkv")
            q, k = (y * cos + torch.cat([-y[..., HEAD // 2:], y[..., :HEAD // 2]], -1) * sin for y in (q, k))
            if past:
                k, v = torch.cat([cache[layer][0], k], 1), torch.cat([cache[layer][1], v], 1)
                cache[layer] = (k, v)
            else:
                cache.append((k, v))
            k, v = (y.repeat_interleave(HEADS // KV_HEADS, 0) for y in (k, v))
            a = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=seen)[0]
            x = x + self.linear(a.transpose(0, 1).reshape(len(ids), -1), stem + "attn_output")
            h = self.norm(x, stem + "ffn_norm")
            gate, up = self.linear(h, stem + "ffn_gate"), self.linear(h, stem + "ffn_up")
            x = x + self.linear(F.silu(gate) * up, stem + "ffn_down")
        return self.linear(self.norm(x[-1:], "output_norm"), "token_embd")[0]

    def encode(self, text):
        return self.tokenizer.encode(text).ids

    def prompt(self, prefix, suffix):
        return [FIM_PREFIX, FIM_SUFFIX, *self.encode(suffix), FIM_MIDDLE, *self.encode(prefix)]

    def first_line(self, ids, cache):
        """Greedy text and the number of tokens, `ids` being what follows the cache."""
        cache, text, count = list(cache), b"", 0
        while count < LIMIT:
            token = int(self.forward(ids, cache).argmax())
            count += 1
            if token >= FIRST_SPECIAL:
                break
            text += bytes(self.characters[c] for c in self.tokens[token])
            if b"\n" in text:
                break
            ids = [token]
        return text.decode("utf-8", "replace").split("\n")[0], count


def answer(model, hole):
    """The records of both ways; the prompt's common part is run once."""
    kept = hole["prefix"].rstrip(" \t")
    plain, healed = model.prompt(hole["prefix"], hole["suffix"]), model.prompt(kept, hole["suffix"])
    common = len(os.path.commonprefix([plain[:-1], healed[:-1]]))
    start, cache = time.time(), []
    model.forward(plain[:common], cache)
    shared, records = time.time() - start, []
    for ids, blanks in ((plain, ""), (healed, hole["prefix"][len(kept):])):
        start = time.time()
        text, count = model.first_line(ids[common:], cache)
        text = text.removeprefix(blanks) if text.startswith(blanks) else text.lstrip(" \t")
        records.append({"id": hole["id"], "text": text, "finish_reason": "line", "nfe": count, "tokens": count,
                        "ms": round(1000 * (shared + time.time() - start), 1)})
    return records


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("plain")
    arguments.add_argument("healed")
    arguments.add_argument("--every", type=int, default=5)
    options = arguments.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    holes = [json.loads(line) for line in sys.stdin][::options.every]
    model = Model(options.model)
    with open(options.plain, "w", encoding="utf-8") as plain, open(options.healed, "w", encoding="utf-8") as healed:
        for hole in holes:
            for f, record in zip((plain, healed), answer(model, hole)):
                print(json.dumps(record, ensure_ascii=False), file=f, flush=True)


if __name__ == "__main__":
    main()
