"""A small block drafter beside the adapter, to compare both at equal training cost: a few layers of its own that read what
the base's layers know about the clean past (EAGLE 2401.15077 reads the last one; several, fused, as EAGLE-3 2503.01840) and
say a whole block at once. Its rows cost a few layers instead of all of the base's. The program has no use for it yet.

Shapes: N sequences, T clean positions, R block rows a sequence, D width.
"""
import torch
import torch.nn.functional as F

from base import Layer
from network import layer_forward, rms_norm, rotate, split_heads
from prompt import TAGS


class Drafter(torch.nn.Module):
    def __init__(self, base, layers):
        super().__init__()
        shape = self.shape = base.shape
        # After which of the base's layers its rows are read: early, middle, late, and all.
        self.read = sorted({max(1, shape.layers * i // 4) for i in (1, 2, 3)} | {shape.layers})
        own = base.layers[-layers:]  # a start that knows the head's language
        self.layers = torch.nn.ModuleList(
            torch.nn.ParameterDict({name: torch.nn.Parameter(value.detach().float().clone()) for name, value in layer._asdict().items()})
            for layer in own)
        self.final_norm = torch.nn.Parameter(base.final_norm.detach().clone())
        self.mask = torch.nn.Parameter(base.embedding[TAGS["mask"]].detach().float().clone())
        late = len(self.read) - 1
        fuse = torch.zeros(shape.width, len(self.read), shape.width)
        fuse[:, late] = torch.eye(shape.width)
        self.fuse = torch.nn.Parameter(fuse.flatten(1))

    def context(self, states, layer, cos, sin):
        """Keys and values of the clean positions for one layer, from the fused states [N, T, D]."""
        kv = self.shape.kv_heads * self.shape.head_size
        normed = rms_norm(states, layer.attention_norm, self.shape.epsilon)
        k, v = F.linear(normed, layer.qkv[-2 * kv :], layer.qkv_bias[-2 * kv :].to(states.dtype)).split(kv, -1)
        return rotate(split_heads(k, self.shape.kv_heads), cos, sin), split_heads(v, self.shape.kv_heads)

    def block(self, network, ids, positions, mask, states):
        """As Network.block, with the base's states [N, T, len(read) * D] (Network.clean) in the adapter's place."""
        x = F.embedding(ids, network.base.embedding)
        x = torch.where((ids == TAGS["mask"])[:, :, None], self.mask.to(x.dtype), x)
        states = F.linear(states, self.fuse.to(x.dtype))
        cos, sin = network.angles(positions)
        clean = network.angles(torch.arange(states.shape[1], device=ids.device)[None])
        for own in self.layers:
            layer = Layer(**{name: value if value.dim() == 1 else value.to(x.dtype) for name, value in own.items()})
            x, _ = layer_forward(x, cos, sin, layer, self.shape, None, self.context(states, layer, *clean), mask)
        return rms_norm(x, self.final_norm, self.shape.epsilon)
