#!/usr/bin/env python3
"""Checks of the trainer that need PyTorch, on a tiny random base and in seconds: run by hand before a real run, not in CI.

    rehearse.py              on the CPU, or on the GPU where there is one
    rehearse.py --compile    the same with torch.compile
"""
import argparse
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import blocks  # noqa: E402
import loss  # noqa: E402
from adapter_file import read_adapter, read_rank, read_sampler, write_adapter, write_sampler  # noqa: E402
from base import Base, Layer, Shape  # noqa: E402
from experiments.drafter import Drafter  # noqa: E402
from network import Adapter, Network, grouped_mask  # noqa: E402
from experiments.sampler import Sampler  # noqa: E402

COMPILE = "--compile" in sys.argv
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def tiny_base():
    """Two layers, 64 wide, the real vocabulary's size."""
    shape = Shape(layers=2, width=64, heads=4, kv_heads=2, head_size=16, ffn=96, vocabulary=40960, theta=1e6, epsilon=1e-6)
    torch.manual_seed(0)

    def matrix(rows, cols):
        return (torch.randn(rows, cols) * cols**-0.5).to(DEVICE)

    layers = [Layer(torch.ones(64).to(DEVICE), matrix(128, 64), torch.randn(128).to(DEVICE) * 0.1, matrix(64, 64),
                    torch.ones(64).to(DEVICE), matrix(192, 64), matrix(64, 96)) for _ in range(2)]
    return Base(shape, matrix(40960, 64), torch.ones(64).to(DEVICE), layers)


def check(name, good):
    print(("right  " if good else "WRONG  ") + name)
    if not good:
        raise SystemExit(1)


def block_rows_equal_clean_rows(base):
    """With an adapter of zeros a revealed block of length one is a clean row."""
    network, adapter = Network(base, COMPILE), Adapter(base.shape, 4).to(DEVICE)
    ids = torch.randint(0, 1000, (3, 32), device=DEVICE)
    past, clean = network.clean(ids)
    positions = torch.tensor([[5, 9, 30]] * 3, device=DEVICE)
    rows = blocks.Rows(
        ids=ids.gather(1, positions),
        positions=positions,
        block=torch.arange(3, device=DEVICE).expand(3, 3),
        first=positions,
        weight=None,
        index=None,
        masked=None,
    )
    mask = grouped_mask(blocks.seen(rows, 32), 2, torch.float32)
    out = network.block(rows.ids, positions, mask, past, adapter)
    wanted = clean.gather(1, positions[:, :, None].expand(-1, -1, 64))
    check("block rows without an adapter are clean rows", torch.allclose(out, wanted, atol=1e-4))


def generation_equals_clean_rows(base):
    """Greedy words with kept keys and values are those of the whole sequence run anew; sequences of unequal length."""
    from generate import continuations

    network, head = Network(base, COMPILE), loss.head_of(base.embedding)
    ids, length = torch.randint(0, 1000, (2, 16), device=DEVICE), torch.tensor([16, 9], device=DEVICE)
    made = continuations(network, head, ids, length, 6)
    good = True
    for row in range(2):
        whole = torch.cat((ids[row, : length[row]], made[row]))[None]
        again = loss.choices(network.clean(whole)[1][0], head)
        good &= bool((again[length[row] - 1 : -1] == made[row]).all())
    check("generation equals clean rows", good)


def gradient_is_right(base):
    head = loss.head_of(base.embedding)
    teacher, weight = torch.randn(6, 64, device=DEVICE), torch.rand(6, device=DEVICE)
    ends = torch.tensor([0, 0, 1, 0, 0, 1], dtype=torch.bool, device=DEVICE)
    ours = torch.randn(6, 64, device=DEVICE, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    value, *_ = loss.distil(ours, teacher, head, ends, weight, 0.5, chunk=4)
    value.backward()
    known = F.linear(teacher, head)
    known[:, loss.CLASSES] = float("-inf")
    best = torch.where(ends, loss.CLASSES, known.argmax(-1))
    target = 0.5 * known.softmax(-1) + 0.5 * F.one_hot(best, loss.CLASSES + 1)
    target[ends] = F.one_hot(best[ends], loss.CLASSES + 1).float()
    plain = (-(target * F.linear(theirs, head).log_softmax(-1)).sum(-1) * weight).sum()
    plain.backward()
    check("the loss is plain cross entropy", torch.allclose(value, plain, rtol=1e-4))
    check("its gradient too", torch.allclose(ours.grad, theirs.grad, atol=1e-5))


def rows_are_drawn_well():
    """Targets lie inside the text or at its end; a row behind a foreign word weighs less."""
    options = argparse.Namespace(lengths=[1, 4], rows=40, revealed=0.5, off_path=0.25, decay=1.0, ends=1.0)
    ids = torch.arange(64, device=DEVICE)[None].repeat(2, 1)
    choices = ids + 1
    choices[0, 19] = 7  # the base would not have said position 20
    start, end = torch.tensor([8, 8], device=DEVICE), torch.tensor([40, 40], device=DEVICE)
    run = blocks.agreement(ids, choices, start, end)
    check("agreement runs", run[0, 10] == 10 and run[0, 20] == 0 and run[1, 10] == 30)
    ends = torch.tensor([True, False], device=DEVICE)
    good = True
    for seed in range(40):
        rows = blocks.draw(ids, start, end, ends, run, options, torch.Generator().manual_seed(seed))
        target = rows.positions + 1
        judged = rows.weight > 0
        good &= bool((rows.first[judged] >= 8).all())
        good &= bool((target[0][judged[0]] <= 40).all() and (target[1][judged[1]] < 40).all())
        crossing = judged[0] & (rows.first[0] <= 20) & (target[0] - 1 >= 20)
        good &= bool((rows.weight[0][crossing] == 0.25).all())
        shown = rows.ids != 40918
        good &= bool((rows.ids[shown] == rows.positions[shown]).all() and not (shown & rows.masked).any())
    check("rows are drawn inside the text, by path", good)


def file_round_trip(base):
    adapter = Adapter(base.shape, 32).to(DEVICE)
    with torch.no_grad():
        for b in adapter.b.values():
            b.normal_()
    with tempfile.TemporaryDirectory() as folder:
        for kind, tolerance in (("f16", 2e-3), ("q8_0", 5e-2)):
            path = Path(folder) / "adapter.gguf"
            write_adapter(path, adapter, kind)
            again = Adapter(base.shape, read_rank(path)).to(DEVICE)
            read_adapter(path, again)
            worst = max(float((again.b[k] - adapter.b[k]).detach().abs().max()) for k in adapter.b)
            check(f"adapter file, {kind}: {worst:.4f}", worst < tolerance)


def some_products_alone(base):
    """An adapter of the feed-forward products only has no others, and changes block rows."""
    network, adapter = Network(base, COMPILE), Adapter(base.shape, 4, "ffn").to(DEVICE)
    check("pairs of some products", len(adapter.a) == 3 * base.shape.layers)
    ids = torch.randint(0, 1000, (1, 8), device=DEVICE)
    past, _ = network.clean(ids)
    mask = grouped_mask(torch.ones(1, 2, 10, dtype=torch.bool, device=DEVICE), 2, torch.float32)
    said = lambda: network.block(ids[:, :2], torch.tensor([[8, 9]], device=DEVICE), mask, past, adapter).detach()
    before = said()
    with torch.no_grad():
        for b in adapter.b.values():
            b.normal_()
    check("they change block rows", not torch.allclose(before, said(), atol=1e-3))


def drafter_sees_the_clean_past_alone(base):
    """What stands at a block's anchor and behind it changes nothing; what stands before it does."""
    network, drafter = Network(base, COMPILE), Drafter(base, 1).to(DEVICE)
    ids = torch.randint(0, 1000, (1, 32), device=DEVICE)
    positions = torch.arange(20, 24, device=DEVICE)[None]
    rows = blocks.Rows(ids=torch.full_like(positions, 40918), positions=positions, block=torch.zeros_like(positions),
                       first=torch.full_like(positions, 20), weight=None, index=None, masked=None)
    mask = grouped_mask(blocks.seen(rows, 32), 2, torch.float32)

    def said(ids):
        return drafter.block(network, rows.ids, positions, mask, network.clean(ids, drafter.read)[0])

    behind, before = ids.clone(), ids.clone()
    behind[0, 20:], before[0, 19] = 7, 7
    check("a drafter sees the clean past alone", torch.allclose(said(ids), said(behind), atol=1e-5)
          and not torch.allclose(said(ids), said(before), atol=1e-3))


def sampler_starts_as_nothing_and_learns():
    """Before its training it changes no row; then it learns to add what the word before tells."""
    torch.manual_seed(0)
    sampler = Sampler(64).to(DEVICE)
    rows, words = torch.randn(32, 64, device=DEVICE), 0.02 * torch.randn(32, 64, device=DEVICE)
    check("a fresh sampler head changes nothing", torch.equal(sampler(rows, words), rows))
    wanted = rows + 40 * words.roll(1, 1)
    optimizer = torch.optim.AdamW(sampler.parameters(), lr=3e-3)
    for _ in range(300):
        off = (sampler(rows, words) - wanted).pow(2).mean()
        off.backward()
        optimizer.step(), optimizer.zero_grad()
    check(f"it learns from the word before: {off.item():.4f}", off.item() < 0.1)
    with tempfile.TemporaryDirectory() as folder:
        write_sampler(Path(folder) / "sampler.gguf", sampler)
        again = Sampler(64).to(DEVICE)
        read_sampler(Path(folder) / "sampler.gguf", again)
    check("its file", torch.allclose(again(rows, words), sampler(rows, words), rtol=1e-2, atol=1e-2))


def loss_falls(base, drafts):
    """A few steps teach the tiny base's adapter (or drafter) to copy what follows in one repeated text."""
    network, head = Network(base, COMPILE), loss.head_of(base.embedding)
    adapter = (Drafter(base, 1) if drafts else Adapter(base.shape, 16)).to(DEVICE)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=5e-3)
    options = argparse.Namespace(lengths=[4], rows=64, revealed=0.2, off_path=1.0, decay=1.0, ends=1.0)
    ids = torch.randint(0, 1000, (4, 48), device=DEVICE)
    start, end = torch.full((4,), 4, device=DEVICE), torch.full((4,), 48, device=DEVICE)
    ends = torch.zeros(4, dtype=torch.bool, device=DEVICE)
    past, teacher = network.clean(ids, adapter.read if drafts else ())
    run = blocks.agreement(ids, ids, start, end)
    values = []
    for seed in range(60):
        rows = blocks.draw(ids, start, end, ends, run, options, torch.Generator().manual_seed(seed))
        mask = grouped_mask(blocks.seen(rows, 48), 2, torch.float32)
        student = (adapter.block(network, rows.ids, rows.positions, mask, past) if drafts
                   else network.block(rows.ids, rows.positions, mask, past, adapter))
        at = (rows.first + rows.index).clamp(max=47)
        known = teacher.gather(1, at[:, :, None].expand(-1, -1, 64))
        judged = rows.weight > 0
        total, *_ = loss.distil(student[judged], known[judged], head, torch.zeros_like(judged[judged]), rows.weight[judged] / judged.sum())
        total.backward()
        optimizer.step(), optimizer.zero_grad()
        values.append(float(total))
    check(f"the loss{' of a drafter' if drafts else ''} falls: {values[0]:.2f} to {values[-1]:.2f}", values[-1] < values[0] - 1)


def main():
    base = tiny_base()
    block_rows_equal_clean_rows(base)
    generation_equals_clean_rows(base)
    gradient_is_right(base)
    rows_are_drawn_well()
    file_round_trip(base)
    some_products_alone(base)
    drafter_sees_the_clean_past_alone(base)
    sampler_starts_as_nothing_and_learns()
    loss_falls(base, drafts=False)
    loss_falls(base, drafts=True)


if __name__ == "__main__":
    main()
