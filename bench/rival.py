#!/usr/bin/env python3
"""llama.cpp beside this program: the same model file, the same cores, the same holes, in turn in one run.

    rival.py PROGRAM [--rounds N] [--depths N...] [--holes N] [--parts PART...]

Builds llama.cpp under build/rival from the source package of llama-cpp-python at PyPI (pinned by version and SHA-256;
the only step that needs a network), joins the default model's file, and has it requantised to Q4_0, which llama.cpp
multiplies fastest. PROGRAM is `cinnabar`, built for speed. Parts:

  build  no figures
  speed  prompt and one-row tokens a second, at each context depth; llama.cpp with the best of its settings for
         attention and keys and values on each file, which a trial at the middle depth chooses; in turn, N rounds
  holes  held-out holes end to end, cold: this program, and llama-server with those settings on both files, without
         drafts and with its quickest n-gram drafts, which a trial on a few of the holes chooses. It gets our
         prompt's tokens, and as many tokens to write as our answer has, for it knows none of our rules of ends

Figures are medians; in brackets the least and the most.
"""
import argparse
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "build" / "rival"
PACKAGE, SHA256 = "llama-cpp-python==0.3.36", "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
SOURCE, BINARIES = HERE / "source" / "llama.cpp", HERE / "build" / "bin"
TARGETS = ["llama-bench", "llama-server", "llama-quantize"]
SWITCHES = ["LLAMA_BUILD_UI", "LLAMA_USE_PREBUILT_UI", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_OPENSSL"]
# g++ 12 believes that _tile_loadconfig reads eight of its 64 bytes and drops the stores of the others; the process dies
# on a processor with AMX. This makes it keep them.
AMX_CALL = "    _tile_loadconfig(&tc);"
AMX_BARRIER = '    asm volatile("" : : "r"(&tc) : "memory");\n'
SETTINGS = {"f16 keys, -fa 0": ["-fa", "0"], "f16 keys, -fa 1": ["-fa", "1"],
            "8-bit keys, -fa 1": ["-fa", "1", "-ctk", "q8_0", "-ctv", "q8_0"]}
DRAFTS = ["none", "ngram-simple", "ngram-map-k", "ngram-map-k4v", "ngram-mod", "ngram-cache"]
THREADS = str(len(os.sched_getaffinity(0)))
FILES = {"same file": HERE / "model.gguf", "Q4_0": HERE / "model-q4_0.gguf"}


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True, **options)


def logged(name, *command):
    with open(HERE / f"{name}.log", "w") as log:
        done = subprocess.run([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"rival.py: {name} failed, see {log.name}")


def sha256(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fetch():
    name, version = PACKAGE.split("==")
    archive = HERE / f"{name.replace('-', '_')}-{version}.tar.gz"
    if not archive.exists():
        wanted = HERE / "requirements.txt"
        wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        logged("fetch", sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--require-hashes",
               "-d", HERE, "-r", wanted)
    if sha256(archive) != SHA256:
        sys.exit(f"rival.py: {archive} is not {PACKAGE} as it was pinned; remove it")
    return archive


def unpack(archive):
    with tarfile.open(archive) as tar:
        inside = f"{archive.name.removesuffix('.tar.gz')}/vendor/llama.cpp"
        for member in tar.getmembers():
            if not member.name.startswith(inside + "/") or not (member.isfile() or member.isdir()):
                continue
            member.name = os.path.relpath(member.name, os.path.dirname(inside))
            tar.extract(member, SOURCE.parent)
    amx = SOURCE / "ggml" / "src" / "ggml-cpu" / "amx" / "mmq.cpp"
    text = amx.read_text()
    if text.count(AMX_CALL) != 1:
        sys.exit(f"rival.py: {amx} is not what was expected")
    amx.write_text(text.replace(AMX_CALL, AMX_BARRIER + AMX_CALL))


def build():
    HERE.mkdir(parents=True, exist_ok=True)
    if not SOURCE.exists():
        unpack(fetch())
    logged("configure", "cmake", "-S", SOURCE, "-B", HERE / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON",
           *(f"-D{switch}=OFF" for switch in SWITCHES))
    logged("build", "ninja", "-C", HERE / "build", *TARGETS)


def join_model():
    parts = json.loads((ROOT / "models" / "default" / "parts.json").read_text())
    if not (FILES["same file"].exists() and FILES["same file"].stat().st_size == parts["bytes"]):
        with open(FILES["same file"], "wb") as whole:
            for part in parts["parts"]:
                whole.write((ROOT / "models" / "default" / part["file"]).read_bytes())
    if sha256(FILES["same file"]) != parts["sha256"]:
        sys.exit(f"rival.py: {FILES['same file']} is not the default model's file; remove it")
    if not FILES["Q4_0"].exists():
        half = FILES["Q4_0"].with_suffix(".half")
        logged("quantize", BINARIES / "llama-quantize", "--allow-requantize", FILES["same file"], half, "Q4_0", THREADS)
        half.rename(FILES["Q4_0"])


def spread(values, decimals=1):
    middle = statistics.median(values)
    return f"{middle:.{decimals}f} ({min(values):.{decimals}f}, {max(values):.{decimals}f})"


def llama_bench(file, settings, *what, repeats=3):
    """{(prompt tokens, generated tokens, depth): [tokens/s of each repeat]}"""
    done = run(BINARIES / "llama-bench", "-m", FILES[file], "-t", THREADS, "-r", repeats, "-o", "json", *settings, *what,
               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {(r["n_prompt"], r["n_gen"], r["n_depth"]): r["samples_ts"] for r in json.loads(done.stdout)}


def best_settings(depth):
    """{file: name of the settings} by one row's speed at this depth; a prompt's is told, too."""
    best = {}
    for file in FILES:
        found = {}
        for name, settings in SETTINGS.items():
            speeds = llama_bench(file, settings, "-p", 512, "-n", 16, "-d", depth, repeats=1)
            found[name] = statistics.median(speeds[0, 16, depth])
            print(f"  trial, {file}, {name}: one row {found[name]:.1f} tokens/s at {depth}, prompt"
                  f" {statistics.median(speeds[512, 0, depth]):.0f}", flush=True)
        best[file] = max(found, key=found.get)
    return best


def own_speeds(program):
    """({depth: tokens/s of one row}, tokens/s of a prompt of 1,024)"""
    text = run(program, "bench", "denoise", stdout=subprocess.PIPE).stdout
    rows = {int(m[1]): 1000 / float(m[2]) for m in re.finditer(r"^ +(\d+) +1 +([\d.]+) ", text, re.M)}
    prompt = re.search(r"^prompt of 1024 tokens: .* = (\d+) tokens/s", text, re.M)
    return rows, float(prompt[1])


def compare_speed(program, rounds, depths, best):
    rows, prompts = {}, {}
    for _ in range(rounds):
        one, prompt = own_speeds(program)
        for depth in depths:
            if depth in one:
                rows.setdefault(("cinnabar", depth), []).append(one[depth])
        prompts.setdefault("cinnabar", []).append(prompt)
        for file, name in best.items():
            found = llama_bench(file, SETTINGS[name], "-p", 0, "-n", 32, "-d", ",".join(map(str, depths)), repeats=1)
            for depth in depths:
                rows.setdefault((file, depth), []).extend(found[0, 32, depth])
            # A prompt is quicker without 8-bit keys: the best of both is taken.
            each = [llama_bench(file, SETTINGS[s], "-p", 1024, "-n", 0, repeats=1)[1024, 0, 0][0] for s in {name, "f16 keys, -fa 1"}]
            prompts.setdefault(file, []).append(max(each))
    who = ["cinnabar", *best]
    print("\n| tokens/s | " + " | ".join(w if w == "cinnabar" else f"llama.cpp, {w}, {best[w]}" for w in who) + " |")
    print("|---" * (len(who) + 1) + "|")
    print("| prompt of 1,024 tokens | " + " | ".join(spread(prompts[w], 0) for w in who) + " |")
    for depth in depths:
        print(f"| one row at {depth} tokens of context | " + " | ".join(spread(rows[w, depth]) for w in who) + " |")
    sys.stdout.flush()


@contextlib.contextmanager
def server(file, settings, draft):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [BINARIES / "llama-server", "-m", FILES[file], "--host", "127.0.0.1", "--port", port, "-t", THREADS, "-c", 4096,
               "-np", 1, "--cache-ram", 0, "--no-ui", *settings, *([] if draft == "none" else ["--spec-type", draft])]
    with open(HERE / "server.log", "w") as log:
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/completion"
    finally:
        process.kill()
        process.wait()


def wait_for(process, url):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"rival.py: llama-server ended, see {HERE / 'server.log'}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        time.sleep(0.1)
    sys.exit("rival.py: llama-server does not answer within a minute")


def complete(url, hole):
    body = {"prompt": hole["prompt"], "n_predict": hole["tokens"], "temperature": 0, "cache_prompt": False, "ignore_eos": True}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=300) as reply:
        answer = json.load(reply)
    answer["ms"] = (time.monotonic() - start) * 1000
    return answer


def answers_of(program, lines, *options):
    done = run(program, "infill", "--jsonl", "--details", "--repairs", 0, *options, input="\n".join(lines) + "\n", stdout=subprocess.PIPE)
    return {a["id"]: a for a in map(json.loads, done.stdout.splitlines()) if "error" not in a}


def held_out(program, count):
    """Holes as lines, spread over all of the list, and our prompts by id."""
    listed = run(sys.executable, ROOT / "tests" / "holes" / "held_out.py", "list", stdout=subprocess.PIPE).stdout.splitlines()
    lines = listed[:: max(1, len(listed) // count)][:count]
    return lines, {i: a["prompt"] for i, a in answers_of(program, lines, "--max-tokens", 1, "--trajectory").items()}


def is_same(own, content):
    """Theirs may repeat what was typed of a first token, and knows no end."""
    return 0 <= content.find(own["raw"]) <= 24


def percentile(values, p):
    return sorted(values)[max(0, -(-len(values) * p // 100) - 1)]  # nearest rank


def row_of(name, times, forwards, tokens, same):
    print(f"| {name} | {percentile(times, 50):.0f} | {percentile(times, 95):.0f} | {tokens / max(forwards, 1):.2f} | {same} |", flush=True)


def best_draft(file, settings, holes):
    found = {}
    for draft in DRAFTS:
        with server(file, settings, draft) as url:
            complete(url, holes[0])
            answers = [complete(url, hole)["timings"] for hole in holes]
        found[draft] = sum(t["predicted_ms"] for t in answers)
        print(f"  trial, {file}, --spec-type {draft}: {found[draft] / sum(t['predicted_n'] for t in answers):.1f} ms a token", flush=True)
    return min(found, key=found.get)


def compare_holes(program, count, best):
    lines, prompts = held_out(program, count)
    own = answers_of(program, lines)
    holes = [{"id": i, "prompt": prompts[i], "tokens": a["tokens"]} for i, a in own.items() if a["tokens"] > 0 and i in prompts]
    drafts = {file: best_draft(file, SETTINGS[best[file]], holes[:: max(1, len(holes) // 8)]) for file in best}
    print(f"\n{len(holes)} held-out holes, prompts of {statistics.median(len(h['prompt']) for h in holes):.0f} tokens (median), cold\n\n"
          "| | p50 ms | p95 ms | tokens a forward | answers equal |\n|---|---|---|---|---|")
    row_of("cinnabar", [own[h["id"]]["ms"] for h in holes], sum(own[h["id"]]["nfe"] for h in holes), sum(h["tokens"] for h in holes), "-")
    for file, name in best.items():
        for draft in dict.fromkeys(["none", drafts[file]]):
            with server(file, SETTINGS[name], draft) as url:
                complete(url, holes[0])
                answers = [complete(url, hole) for hole in holes]
            tokens = sum(a["timings"]["predicted_n"] for a in answers)
            forwards = tokens - sum(a["timings"].get("draft_n_accepted", 0) for a in answers)
            same = sum(is_same(own[hole["id"]], a["content"]) for hole, a in zip(holes, answers, strict=True))
            row_of(f"llama-server, {file}, {name}, drafts: {draft}", [a["ms"] for a in answers], forwards, tokens,
                   f"{same} of {len(holes)}")
    again = answers_of(program, lines)
    row_of("cinnabar, once more", [again[h["id"]]["ms"] for h in holes], sum(again[h["id"]]["nfe"] for h in holes),
           sum(h["tokens"] for h in holes), sum(again[h["id"]]["raw"] == own[h["id"]]["raw"] for h in holes))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--depths", type=int, nargs="+", default=[256, 1024, 4096], choices=[256, 1024, 4096])
    parser.add_argument("--holes", type=int, default=60)
    parser.add_argument("--parts", nargs="+", default=["speed", "holes"], choices=["build", "speed", "holes"])
    parser.add_argument("program")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("rival.py: ended"))  # and the server with it
    build()
    join_model()
    if given.parts == ["build"]:
        return
    with open("/proc/loadavg") as load:
        print(f"{THREADS} threads; load average before: {load.read().split()[0]} (an idle machine: below 0.3)", flush=True)
    best = best_settings(sorted(given.depths)[len(given.depths) // 2])
    if "speed" in given.parts:
        compare_speed(given.program, given.rounds, given.depths, best)
    if "holes" in given.parts:
        compare_holes(given.program, given.holes, best)
    with open("/proc/loadavg") as load:
        print(f"\nload average after, our own work included: {load.read().split()[0]}")


if __name__ == "__main__":
    main()
