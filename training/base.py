"""The frozen base model in PyTorch: the GGUF file's tensors dequantised, as one weight a product.

A loader of its own beside the engine's: it shares no code with it, so that agreement of both says something.
"""
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from gguf import dequantize


@dataclass
class Shape:
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    ffn: int
    vocabulary: int
    theta: float
    epsilon: float


class Layer(NamedTuple):  # a tuple: torch.compile then sees tensors, the same graph for every layer
    attention_norm: torch.Tensor  # [D]
    qkv: torch.Tensor  # [(H + 2K) E, D]
    qkv_bias: torch.Tensor
    output: torch.Tensor  # [D, H E]
    ffn_norm: torch.Tensor  # [D]
    gate_up: torch.Tensor  # [2F, D]
    down: torch.Tensor  # [D, F]


@dataclass
class Base:
    shape: Shape
    embedding: torch.Tensor  # [V, D], the head too
    final_norm: torch.Tensor
    layers: list


def read_shape(reader):
    def value(name):
        return reader.get_field(name).contents()

    width, heads = value("qwen2.embedding_length"), value("qwen2.attention.head_count")
    return Shape(layers=value("qwen2.block_count"), width=width, heads=heads, kv_heads=value("qwen2.attention.head_count_kv"),
                 head_size=width // heads, ffn=value("qwen2.feed_forward_length"), vocabulary=value("qwen2.vocab_size"),
                 theta=value("qwen2.rope.freq_base"), epsilon=value("qwen2.attention.layer_norm_rms_epsilon"))


def load_base(reader, device="cpu", dtype=torch.bfloat16):
    """All tensors of a GGUFReader on `device`; norms and biases stay f32."""
    tensors = {t.name: t for t in reader.tensors}
    wide = [t for t in reader.tensors if len(t.shape) == 2]
    with ThreadPoolExecutor() as pool:  # most of the time goes into this, and NumPy lets other threads run
        values = dict(zip((t.name for t in wide), pool.map(lambda t: dequantize(t.data, t.tensor_type), wide)))

    def matrix(*names):
        parts = [torch.from_numpy(np.ascontiguousarray(values.pop(n))).to(dtype) for n in names]
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).to(device)

    def vector(*names):
        return torch.from_numpy(np.concatenate([np.array(tensors[n].data) for n in names])).float().to(device)

    shape = read_shape(reader)
    layers = []
    for i in range(shape.layers):
        at = f"blk.{i}."
        layers.append(Layer(
            attention_norm=vector(at + "attn_norm.weight"),
            qkv=matrix(at + "attn_q.weight", at + "attn_k.weight", at + "attn_v.weight"),
            qkv_bias=vector(at + "attn_q.bias", at + "attn_k.bias", at + "attn_v.bias"),
            output=matrix(at + "attn_output.weight"), ffn_norm=vector(at + "ffn_norm.weight"),
            gate_up=matrix(at + "ffn_gate.weight", at + "ffn_up.weight"), down=matrix(at + "ffn_down.weight")))
    return Base(shape, matrix("token_embd.weight"), vector("output_norm.weight"), layers)


def random_base(shape, device, dtype=torch.bfloat16):
    """A base of this shape that says nothing: to compile and to time before the real one is there (`copy_into`)."""
    query, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size

    def matrix(rows, cols):
        return torch.randn(rows, cols, device=device, dtype=dtype) * cols**-0.5

    def ones(count):
        return torch.ones(count, device=device)

    layers = [Layer(ones(shape.width), matrix(query + 2 * kv, shape.width), torch.zeros(query + 2 * kv, device=device),
                    matrix(shape.width, query), ones(shape.width), matrix(2 * shape.ffn, shape.width),
                    matrix(shape.width, shape.ffn)) for _ in range(shape.layers)]
    return Base(shape, matrix(shape.vocabulary, shape.width), ones(shape.width), layers)


@torch.no_grad()
def copy_into(base, other):
    """`base` becomes `other`, in place, so that what was compiled for it stays."""
    assert base.shape == other.shape
    base.embedding.copy_(other.embedding)
    base.final_norm.copy_(other.final_norm)
    for mine, theirs in zip(base.layers, other.layers):
        for to, of in zip(mine, theirs):
            to.copy_(of)
