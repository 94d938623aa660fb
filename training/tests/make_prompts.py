#!/usr/bin/env python3
"""Writes prompts.json beside this file: some of tests/holes as training lays them out, for engine.training_prompt to compare
with the program's own prompts. Needs PyPI `gguf` and `tokenizers`; run it again when training/prompt.py changes on purpose."""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import prompt  # noqa: E402
import vocabulary  # noqa: E402

BUDGETS = ((6000, 2000), (700, 300), (60, 20))


def main():
    encode = vocabulary.encoder(vocabulary.load_tokenizer(vocabulary.open_model()))
    cases = []
    for name in ("single_line", "multi_line"):
        with open(HERE.parent.parent / "tests" / "holes" / f"{name}.jsonl", encoding="utf-8") as file:
            for number, line in enumerate(file):
                hole = json.loads(line)
                if number % 9:
                    continue
                for prefix_budget, suffix_budget in BUDGETS[1:] if number % 45 else BUDGETS:
                    before, typed = prompt.build_prompt(
                        encode, hole["prefix"].encode(), hole["suffix"].encode(), prefix_budget, suffix_budget
                    )
                    cases.append({"file": name, "id": hole["id"], "prefix_budget": prefix_budget, "suffix_budget": suffix_budget,
                                  "typed": typed.decode(), "before": before})
    (HERE / "prompts.json").write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{len(cases)} prompts")


if __name__ == "__main__":
    main()
