"""The forward of base and gated adapter: clean rows once without gradients, block rows against their keys and values.

Shapes: N sequences, T clean positions, R block rows a sequence, D width. The adapter touches block rows only.
"""
from contextlib import contextmanager

import torch
import torch.nn.functional as F

from base import Base

ATTENTION, FEED_FORWARD = ("attn_q", "attn_k", "attn_v", "attn_output"), ("ffn_gate", "ffn_up", "ffn_down")
PRODUCTS = {"all": ATTENTION + FEED_FORWARD, "attention": ATTENTION, "ffn": FEED_FORWARD}


class Adapter(torch.nn.Module):
    """Low-rank pairs for the seven products of every layer, or some of them: x A^T B^T is added to the product. B starts at
    zero."""

    def __init__(self, shape, rank, products="all"):
        super().__init__()
        self.rank, self.products = rank, PRODUCTS[products]
        query, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
        sizes = {"attn_q": (query, shape.width), "attn_k": (kv, shape.width), "attn_v": (kv, shape.width),
                 "attn_output": (shape.width, query), "ffn_gate": (shape.ffn, shape.width), "ffn_up": (shape.ffn, shape.width),
                 "ffn_down": (shape.width, shape.ffn)}
        self.a, self.b = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        for i in range(shape.layers):
            for name in self.products:
                outputs, inputs = sizes[name]
                self.a[f"{i}_{name}"] = torch.nn.Parameter(torch.randn(rank, inputs) * inputs**-0.5)
                self.b[f"{i}_{name}"] = torch.nn.Parameter(torch.zeros(outputs, rank))

    def pairs(self, layer, dtype):
        """{product: (A, B)} of one layer in the products' arithmetic."""
        return {n: (self.a[f"{layer}_{n}"].to(dtype), self.b[f"{layer}_{n}"].to(dtype)) for n in self.products}


def rms_norm(x, weight, epsilon):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon) * weight).to(x.dtype)


def rotate(x, cos, sin):
    """x [N, H, R, E]; cos, sin [N, 1, R, E/2]; halves are rotated against one another."""
    first, second = x.float().chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1).to(x.dtype)


def product(x, weight, pairs, *names, bias=None):
    """x W^T of products that lie side by side, with the adapter's additions where it has some."""
    made = F.linear(x, weight, bias)
    if not pairs or names[0] not in pairs:
        return made
    return made + torch.cat([F.linear(F.linear(x, pairs[n][0]), pairs[n][1]) for n in names], -1)


def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attention(q, keys, values, mask, group):
    """q [N, H, R, E], keys and values [N, K, S, E]; each key head serves `group` query heads. Causal without a mask; with one
    (additive, [N, 1, group * R, S], see grouped_mask) the group's heads stand as further rows of their key head."""
    if mask is None:
        return F.scaled_dot_product_attention(q, keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1), is_causal=True)
    n, heads, rows, size = q.shape
    folded = q.reshape(n, heads // group, group * rows, size)
    return F.scaled_dot_product_attention(folded, keys, values, attn_mask=mask).reshape(n, heads, rows, size)


# Added to the score of a key that a row does not see. With -inf and cuDNN's attention the first gradient of the real model was
# no number on an H100 (PyTorch 2.11); which of the two was the cause was not looked into.
HIDDEN = -30000.0


def grouped_mask(seen, group, dtype):
    """seen [N, R, S], true where a row sees a key -> the mask that `attention` takes."""
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, HIDDEN)
    return mask[:, None].repeat(1, 1, group, 1)


def layer_forward(x, cos, sin, layer, shape, pairs, past, mask):
    """One layer. Returns the new x and this layer's rotated keys and values. `past` (k, v) come before the rows' own."""
    query, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    normed = rms_norm(x, layer.attention_norm, shape.epsilon)
    qkv = product(normed, layer.qkv, pairs, "attn_q", "attn_k", "attn_v", bias=layer.qkv_bias.to(x.dtype))
    q, k, v = qkv.split((query, kv, kv), -1)
    q, k = rotate(split_heads(q, shape.heads), cos, sin), rotate(split_heads(k, shape.kv_heads), cos, sin)
    v = split_heads(v, shape.kv_heads)
    keys, values = (k, v) if past is None else (torch.cat((past[0], k), 2), torch.cat((past[1], v), 2))
    attended = attention(q, keys, values, mask, shape.heads // shape.kv_heads).transpose(1, 2).flatten(2)
    x = x + product(attended, layer.output, pairs, "attn_output")
    gate, up = product(rms_norm(x, layer.ffn_norm, shape.epsilon), layer.gate_up, pairs, "ffn_gate", "ffn_up").chunk(2, -1)
    return x + product(F.silu(gate) * up, layer.down, pairs, "ffn_down"), (k, v)


class Network:
    """Base and adapter on one device."""

    def __init__(self, base: Base, compiled=False):
        self.base, self.shape = base, base.shape
        self.layer = layer_forward
        torch.backends.cuda.enable_cudnn_sdp(False)  # see HIDDEN
        if compiled:
            torch._dynamo.config.recompile_limit = 64  # clean and block rows, with and without gradients, every batch tried
            self.layer = torch.compile(layer_forward, dynamic=False)
        half = torch.arange(0, self.shape.head_size, 2, device=base.embedding.device, dtype=torch.float32)
        self.frequencies = self.shape.theta ** (-half / self.shape.head_size)

    @contextmanager
    def uncompiled(self):
        """For shapes that occur once: not worth compiling for."""
        compiled, self.layer = self.layer, layer_forward
        try:
            yield
        finally:
            self.layer = compiled

    def angles(self, positions):
        angle = positions.float()[:, None, :, None] * self.frequencies
        return angle.cos(), angle.sin()

    @torch.no_grad()
    def clean(self, ids, read=()):
        """ids [N, T] -> (keys and values of every layer, normed final rows [N, T, D]). `read`: the rows after so many layers
        side by side [N, T, len(read) * D] in the keys' and values' place."""
        cos, sin = self.angles(torch.arange(ids.shape[1], device=ids.device)[None])
        x, past, states = F.embedding(ids, self.base.embedding), [], []
        for number, layer in enumerate(self.base.layers, 1):
            x, kv = self.layer(x, cos, sin, layer, self.shape, None, None, None)
            past.append(kv)
            states += [x] if number in read else []
        return torch.cat(states, -1) if read else past, rms_norm(x, self.base.final_norm, self.shape.epsilon)

    def block(self, ids, positions, mask, past, adapter):
        """Block rows: ids, positions [N, R]; mask of grouped_mask over T + R keys. Normed final rows [N, R, D]."""
        cos, sin = self.angles(positions)
        x = F.embedding(ids, self.base.embedding)
        for i, layer in enumerate(self.base.layers):
            x, _ = self.layer(x, cos, sin, layer, self.shape, adapter.pairs(i, x.dtype), past[i], mask)
        return rms_norm(x, self.base.final_norm, self.shape.epsilon)

    @torch.no_grad()
    def extend(self, ids, positions, mask, past, start):
        """Clean rows behind a preallocated past (generation): writes their keys and values at `start` of every layer's
        (k, v) [N, K, S, E]. Normed final rows."""
        cos, sin = self.angles(positions)
        x, rows = F.embedding(ids, self.base.embedding), ids.shape[1]
        for layer, (k, v) in zip(self.base.layers, past):
            empty = (k[:, :, :start], v[:, :, :start])
            x, (new_k, new_v) = layer_forward(x, cos, sin, layer, self.shape, None, empty, mask)
            k[:, :, start : start + rows], v[:, :, start : start + rows] = new_k, new_v
        return rms_norm(x, self.base.final_norm, self.shape.epsilon)
