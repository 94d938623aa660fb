#!/usr/bin/env python3
"""Every setting of package.json is an option that `cinnabar daemon --help` knows, of the same kind and default.

    check_settings.py PROGRAM | check_settings.py --self-test
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = {"path", "arguments", "enable"}  # the extension's, not the server's
SAID_BY_THE_EXTENSION = {"enabled", "languages", "trusted"}
OPTION = re.compile(r"^  --([a-z0-9-]+) ([A-Z]+) +(.*)$", re.M)
# How --help groups end: these belong to the daemon's command line, an editor cannot set them.
COMMAND_LINE = {"record", "idle-unload", "idle-exit", "socket", "tcp", "token-file"}


def camel_case(name):
    return re.sub(r"-(.)", lambda match: match[1].upper(), name)


def options(text):
    """setting -> (words to choose from, default as --help says it or None)"""
    found = {}
    for name, _, said in OPTION.findall(text):
        words = re.search(r"; one of: (.+)$", said)
        default = re.search(r"\(default: ([^\s,;)]+)[;,)]", said)
        if name not in COMMAND_LINE:
            found[camel_case(name)] = (words[1].split() if words else [], default[1] if default else None)
    return found


def written(value):
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def complaints_about(key, setting, words, default):
    kinds = setting["type"] if isinstance(setting["type"], list) else [setting["type"]]
    choices = ["on", "off"] if "boolean" in kinds else [word for word in setting.get("enum", []) if word is not None]
    if choices != words:
        yield f"cinnabar.{key} offers {choices}, the option {words}"
    # Words such as "physical" of "physical cores" are no value: then package.json says none, too.
    is_value = default is not None and (default in words or re.fullmatch(r"-?[\d.]+", default))
    if is_value and written(setting["default"]) != default:
        yield f"cinnabar.{key} has the default {written(setting['default'])}, the option {default}"


def check(package, text):
    groups = package["contributes"]["configuration"]
    settings = {name.removeprefix("cinnabar."): value for group in groups for name, value in group["properties"].items()}
    known, found = options(text), []
    for key, setting in settings.items():
        if key in OWN:
            continue
        if key not in known:
            found.append(f"cinnabar.{key} is no option of the daemon")
        else:
            found += complaints_about(key, setting, *known[key])
    found += [f"the option {key} is no setting" for key in known if key not in settings and key not in SAID_BY_THE_EXTENSION]
    return found


HELP = """Options:
  --prompt-bytes N      of the text; less is quicker (default: 8000)
  --device NAME         what computes (default: auto, the GPU where one can be used); one of: auto cpu
  --lookup SWITCH       drafts (default: on); one of: on off
  --socket PATH         the daemon's socket
  --trusted SWITCH      off: less (default: on); one of: on off
"""
GOOD = {"path": {"type": "string", "default": "cinnabar"}, "promptBytes": {"type": "integer", "default": 8000},
        "device": {"type": "string", "enum": ["auto", "cpu"], "default": "auto"}, "lookup": {"type": "boolean", "default": True}}
CASES = [
    ({"speed": {"type": "integer", "default": 1}}, "cinnabar.speed is no option"),
    ({"socket": {"type": "string", "default": ""}}, "cinnabar.socket is no option"),
    ({"promptBytes": {"type": "integer", "default": 4000}}, "promptBytes has the default 4000"),
    ({"device": {"type": "string", "enum": ["auto"], "default": "auto"}}, "cinnabar.device offers"),
    ({"lookup": {"type": "string", "default": "on"}}, "cinnabar.lookup offers"),
    ({"lookup": {"type": "boolean", "default": False}}, "lookup has the default off"),
    ({"lookup": None}, "the option lookup is no setting"),
]


def self_test():
    def judge(changes):
        settings = {f"cinnabar.{key}": value for key, value in {**GOOD, **changes}.items() if value}
        return check({"contributes": {"configuration": [{"title": "All", "properties": settings}]}}, HELP)

    failures = [f"the good settings drew: {text}" for text in judge({})]
    for changes, expected in CASES:
        if not any(expected in text for text in judge(changes)):
            failures.append(f"{changes}: expected a complaint with '{expected}', got {judge(changes)}")
    return failures


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        failures = self_test()
    else:
        with open(f"{HERE}/package.json", encoding="utf-8") as file:
            package = json.load(file)
        text = subprocess.run([sys.argv[1], "daemon", "--help"], check=True, capture_output=True, text=True).stdout
        failures = check(package, text)
    for text in failures:
        print(text)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
