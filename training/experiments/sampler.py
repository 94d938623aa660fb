"""A sampler head: the rows of a block do not know what the rows before them have come to say, and so may draft halves of two
sentences. A small two-layer network on top of each row reads the word decided before the row's own and moves the row before the head
sees it (2507.11851). The block's first row then knows the base's own word at its place, which its forward did not.

Trained behind a finished adapter, which it leaves as it is. Shapes: M rows, D width.
"""
import torch
import torch.nn.functional as F


class Sampler(torch.nn.Module):
    def __init__(self, width, hidden=None):
        super().__init__()
        hidden = hidden or width
        self.row = torch.nn.Parameter(torch.randn(hidden, width) * width**-0.5)
        self.word = torch.nn.Parameter(torch.randn(hidden, width) * width**-0.5)
        self.out = torch.nn.Parameter(torch.zeros(width, hidden))

    def forward(self, rows, words):
        """rows [M, D]: normed final rows; words [M, D]: embedding of the word before the one that a row predicts -> [M, D]."""
        kind = rows.dtype
        # An embedding's entries are far smaller than a normed row's.
        words = F.layer_norm(words.float(), words.shape[-1:]).to(kind)
        hidden = F.silu(F.linear(rows, self.row.to(kind)) + F.linear(words, self.word.to(kind)))
        return rows + F.linear(hidden, self.out.to(kind))
