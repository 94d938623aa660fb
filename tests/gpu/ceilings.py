#!/usr/bin/env python3
"""ceilings.py OUT: what this GPU does at best, by PyTorch: a large bf16 product, a copy, and eager steps of Qwen2.5-7B's shape.

Prints a table and writes OUT as JSON. Where there is no PyTorch that sees a GPU it says so, writes what is known, and ends
well: the floors are those of bytes alone then. On random data, since zeros are multiplied faster.
"""
import json
import statistics
import sys
import time

WIDTH, HEADS, KV_HEADS, HEAD, FFN, LAYERS = 3584, 28, 4, 128, 18944, 28
CONTEXT = 2048


def median_ms(torch, run, runs=15):
    """By events; three runs warm up."""
    for _ in range(3):
        run()
    times = []
    for _ in range(runs):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def random(torch, *shape):
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16) / shape[-1] ** 0.5


def eager_step(torch, rows):
    """A forward of `rows` rows behind CONTEXT tokens, as eager PyTorch runs it; milliseconds."""
    import torch.nn.functional as F

    kinds = [("qkv", (HEADS + 2 * KV_HEADS) * HEAD, WIDTH), ("out", WIDTH, HEADS * HEAD), ("up", 2 * FFN, WIDTH), ("down", WIDTH, FFN)]
    layers = [{name: random(torch, n, k) for name, n, k in kinds} for _ in range(LAYERS)]
    keys = random(torch, 1, KV_HEADS, CONTEXT, HEAD)
    values = random(torch, 1, KV_HEADS, CONTEXT, HEAD)
    x0 = random(torch, rows, WIDTH)
    ones = torch.ones(WIDTH, device="cuda", dtype=torch.bfloat16)

    def run():
        x = x0
        for weights in layers:
            qkv = F.linear(F.rms_norm(x, (WIDTH,), ones), weights["qkv"])
            q = qkv[:, :HEADS * HEAD].reshape(1, rows, HEADS, HEAD).transpose(1, 2)
            attended = F.scaled_dot_product_attention(q, keys, values, enable_gqa=True)
            x = x + F.linear(attended.transpose(1, 2).reshape(rows, HEADS * HEAD), weights["out"])
            gate, up = F.linear(F.rms_norm(x, (WIDTH,), ones), weights["up"]).chunk(2, dim=-1)
            x = x + F.linear(F.silu(gate) * up, weights["down"])

    with torch.no_grad():
        return median_ms(torch, run)


def product_tflops(torch):
    size = 8192
    a, b = random(torch, size, size), random(torch, size, size)
    return 2 * size ** 3 / median_ms(torch, lambda: a @ b) / 1e9


def copy_tb_per_second(torch):
    source = torch.randn(2 ** 29, device="cuda", dtype=torch.float32)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / median_ms(torch, lambda: target.copy_(source)) / 1e9


def measure(torch, found):
    found["gemm_bf16_tflops"] = product_tflops(torch)
    found["copy_tb_per_second"] = copy_tb_per_second(torch)
    found["eager_7b_bf16_ms"] = {rows: eager_step(torch, rows) for rows in (1, 32)}


def main(out):
    found = {"when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}
    try:
        import torch
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no GPU")
        found["torch"] = torch.__version__
        found["device"] = torch.cuda.get_device_name()
        measure(torch, found)
    except Exception as error:  # whatever PyTorch lacks here: the rest of the check does without
        found["missing"] = f"{type(error).__name__}: {error}"
    with open(out, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    for name, value in found.items():
        print(f"{name:24} {value}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
