"""Which block rows to train: anchors in sequences whose clean rows have run, and what each row should say.

A block of length B at anchor a stands at positions a .. a + B - 1, sees the clean positions before a and itself. Its row i
predicts position a + i + 1 (logits shift 1; position a is what the clean row a - 1 says). Masked rows hold the mask token,
revealed ones the text.
"""
from dataclasses import dataclass

import torch

from prompt import TAGS

LENGTHS = (4, 8, 16, 32)


@dataclass
class Rows:
    """Block rows of N sequences, R each."""

    ids: torch.Tensor  # [N, R]
    positions: torch.Tensor  # [N, R]
    block: torch.Tensor  # [N, R] number of the row's block; -1: padding
    first: torch.Tensor  # [N, R] the block's anchor
    weight: torch.Tensor  # [N, R] 0: no target
    index: torch.Tensor  # [N, R] row number inside the block
    masked: torch.Tensor  # [N, R] the whole block is masked


def agreement(ids, choices, start, end):
    """run [N, T]: how many tokens from a position on are the ones the base itself would have chosen (choices[p] is its choice
    after position p). Positions outside [start, end) count as disagreement."""
    n, length = ids.shape
    place = torch.arange(length, device=ids.device)[None]
    agrees = torch.zeros_like(ids, dtype=torch.bool)
    agrees[:, 1:] = ids[:, 1:] == choices[:, :-1]
    agrees &= (place >= start[:, None]) & (place < end[:, None])
    next_other = torch.where(agrees, length, place).flip(1).cummin(1).values.flip(1)
    return next_other - place


def draw_anchors(ids, start, end, run, anchors, generator):
    """[N, anchors] positions in [start, end), each at most once where there are enough; seldom one whose word is not the
    base's own: no row of such a block can be drafted."""
    place = torch.arange(ids.shape[1])[None]
    inside = (place >= start.cpu()[:, None]) & (place < end.cpu()[:, None])
    likely = torch.where(run.cpu() > 0, 1.0, 0.03) * inside + 1e-6 * (place < end.cpu()[:, None])
    repeat = int((likely > 0).sum(1).min()) < anchors
    return torch.multinomial(likely, anchors, replacement=repeat, generator=generator).to(ids.device)


def draw(ids, start, end, hole_end, run, options, generator):
    """Random Rows. ids [N, T]; [start, end): positions that blocks may predict; hole_end [N] bool: position `end` is the hole's
    end, a target too. One block length a call, so that every row count is R = anchors * B."""
    n, device = ids.shape[0], ids.device
    length = int(options.lengths[int(torch.randint(len(options.lengths), (1,), generator=generator))])
    anchors = max(1, options.rows // length)
    first = draw_anchors(ids, start, end, run, anchors, generator)
    inside = torch.arange(length, device=device)
    positions = (first[:, :, None] + inside).clamp(max=ids.shape[1] - 1)
    target = first[:, :, None] + inside + 1
    at_end = target == end[:, None, None]
    valid = (target < end[:, None, None]) | (at_end & hole_end[:, None, None])
    valid &= first[:, :, None] >= start[:, None, None]  # where there are fewer places than anchors, others were drawn
    # The chance that a row counts at all: all text from the anchor up to its target must be the base's own.
    reached = run.gather(1, first.clamp(max=ids.shape[1] - 1))[:, :, None]
    on_path = reached >= torch.minimum(inside + 1, (end[:, None, None] - first[:, :, None]))
    weight = torch.where(on_path, 1.0, options.off_path) * options.decay ** inside * valid * torch.where(at_end, options.ends, 1.0)
    full = torch.rand((n, anchors), generator=generator) >= options.revealed
    keep = torch.rand((n, anchors, length), generator=generator) < torch.rand((n, anchors, 1), generator=generator)
    revealed = (keep & ~full[:, :, None]).to(device) & (positions < end[:, None, None])
    text = ids.gather(1, positions.flatten(1)).view_as(positions)
    flat = lambda x: x.expand(n, anchors, length).reshape(n, -1)
    number = torch.arange(anchors, device=device)[None, :, None]
    return Rows(ids=flat(torch.where(revealed, text, TAGS["mask"])), positions=flat(positions), block=flat(number),
                first=flat(first[:, :, None]), weight=flat(weight), index=flat(inside), masked=flat(full.to(device)[:, :, None]))


def seen(rows, clean):
    """[N, R, T + R]: a row sees the clean positions before its block's anchor, and its block."""
    place = torch.arange(clean, device=rows.ids.device)
    past = place[None, None] < rows.first[:, :, None]
    own = rows.block[:, :, None] == rows.block[:, None, :]
    return torch.cat((past, own), 2)


def accepted(rows, hits):
    """Tokens a fully masked block gains, the clean row's own included, on average; hits [N, R] bool. Only blocks whose rows
    all have targets count. Also the hit rate of each row."""
    length = int(rows.index.max()) + 1
    shape = (rows.ids.shape[0], -1, length)
    whole = ((rows.weight > 0) & rows.masked).view(shape)
    good = whole.all(-1)
    hit = hits.view(shape)[good]
    run = hit.int().cumprod(-1).sum(-1).float()
    return run, hit.float()
