#!/usr/bin/env python3
"""report.py OUT: what tests/gpu/check.sh left in OUT, as report.txt and report.json: the GPU, the ceilings, the table of
steps, speeds of all modes, and what passed."""
import json
import os
import sys


def read(path, default=""):
    return open(path, encoding="utf-8", errors="replace").read() if os.path.exists(path) else default


def speed_of(text):
    """Of `cinnabar infill --jsonl`: holes, tokens a second of answers' times, forwards a token."""
    answers = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    answers = [answer for answer in answers if answer.get("tokens") and answer.get("ms")]
    tokens = sum(answer["tokens"] for answer in answers)
    if not tokens:
        return None
    return {"holes": len(answers), "tokens_per_second": round(1000 * tokens / sum(a["ms"] for a in answers), 1),
            "forwards_per_token": round(sum(a["nfe"] for a in answers) / tokens, 3)}


def gather(out):
    report = {"gpu": read(f"{out}/gpu.txt").strip(), "ceilings": json.loads(read(f"{out}/ceilings.json", "{}")),
              "table": json.loads(read(f"{out}/table.json", "{}")), "modes": {}, "steps": []}
    for name, mode in (("infill-cuda", "verified"), ("infill-cuda-autoregressive", "autoregressive"),
                       ("infill-cuda-diffusion", "diffusion"), ("infill-cpu", "verified on the CPU")):
        speed = speed_of(read(f"{out}/{name}.log"))
        if speed:
            report["modes"][mode] = speed
    for line in read(f"{out}/steps.tsv").splitlines():
        name, seconds, result = line.split("\t")
        report["steps"].append({"name": name, "seconds": int(seconds), "result": result})
    return report


def text_of(report, out):
    lines = [report["gpu"], "", read(f"{out}/ceilings.log").rstrip(), "", read(f"{out}/table.log").rstrip(), ""]
    for mode, speed in report["modes"].items():
        lines.append(f"{mode:20} {speed['tokens_per_second']:8.1f} tokens/s with the prompt, {speed['forwards_per_token']:.3f} "
                     f"forwards a token, {speed['holes']} holes")
    lines += ["", read(f"{out}/same-answers.log").rstrip(), ""]
    lines += [f"{step['name']:28} {step['seconds']:4d} s  {step['result']}" for step in report["steps"]]
    return "\n".join(lines) + "\n"


def main(out):
    report = gather(out)
    text = text_of(report, out)
    with open(f"{out}/report.json", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(f"{out}/report.txt", "w", encoding="utf-8") as file:
        file.write(text)
    print("--- report")
    print(text, end="")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
