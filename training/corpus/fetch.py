#!/usr/bin/env python3
"""Fetches the packages of manifest.json into a folder, with the registries' ordinary clients and by name.

    fetch.py FOLDER [--first | --held-out] [--pin]

FOLDER gets downloads/SOURCE/NAME/..., the archives as they came, and fetched.json: for each package its version, files and
their SHA-256. A package that is there already is left alone, one that cannot be had is reported and skipped. Versions and
hashes in the manifest are enforced; --pin writes those that were found into it. --first: only the packages marked "first",
enough for a small run; --held-out: only those held out of training. Nothing of the packages is installed or run.

Needs apt-get (with a source index, which a private configuration adds), npm and pip on the PATH.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.json"


def read_manifest():
    return json.loads(MANIFEST.read_text())


def write_manifest(packages):
    MANIFEST.write_text("[\n" + ",\n".join(json.dumps(p) for p in packages) + "\n]\n")


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def private_apt(folder):
    """An apt configuration with a source index beside the system's; the system's own stays as it is."""
    root = folder / "apt"
    config = root / "apt.conf"
    for sub in ("parts", "lists/partial", "cache/archives/partial"):
        (root / sub).mkdir(parents=True, exist_ok=True)
    sources = sorted(Path("/etc/apt/sources.list.d").glob("*.sources"))
    for path in sources:
        text = re.sub(r"^Types: deb$", "Types: deb-src", path.read_text(), flags=re.M)
        (root / "parts" / path.name).write_text(text)
    config.write_text(f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{root}/parts";\n'
                      f'Dir::State::Lists "{root}/lists";\nDir::Cache "{root}/cache";\n')
    environment = {**os.environ, "APT_CONFIG": str(config)}
    if not any((root / "lists").glob("*Sources*")):
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
    return environment


def command_for(package, environment):
    """The client's call for one package and the environment it runs in."""
    name, version = package["name"], package.get("version")
    if package["source"] == "debian-source":
        wanted = f"{name}={version}" if version and "-" in version else name
        return ["apt-get", "source", "--download-only", "-qq", wanted], environment
    if package["source"] == "debian":
        return ["apt-get", "download", "-qq", f"{name}={version}" if version else name], None
    if package["source"] == "npm":
        return ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}" if version else name], None
    wanted = f"{name}=={version}" if version else name
    return [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", wanted], None


def version_of(package, files):
    """The version as the archives' names tell it."""
    names = [f.name for f in files]
    if package["source"] == "debian-source":
        dsc = next((n for n in names if n.endswith(".dsc")), None)
        if dsc:
            return dsc.removesuffix(".dsc").rpartition("_")[2]
        return names[0].rpartition(".orig")[0].rpartition("_")[2]  # mirrors may lack the packaging half: upstream's version
    if package["source"] == "debian":
        return names[0].split("_")[1].replace("%3a", ":")
    if package["source"] == "npm":
        return names[0].removesuffix(".tgz").removeprefix(package["name"].lstrip("@").replace("/", "-") + "-")
    return names[0].split("-")[1]


def fetch(package, folder, environment):
    """{"version", "files": {name: sha256}}, or None when the package cannot be had whole."""
    place = folder / "downloads" / package["source"] / package["name"].replace("/", "__")
    place.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in place.iterdir() if p.is_file())
    if not files:
        command, env = command_for(package, environment)
        done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True)
        files = sorted(p for p in place.iterdir() if p.is_file())
        if done.returncode != 0 and not any(".orig" in f.name or f.name.endswith((".tgz", ".deb", ".whl")) for f in files):
            for path in files:
                path.unlink()
            reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
            print(f"{package['source']} {package['name']}: not to be had: {reason[:120]}", file=sys.stderr, flush=True)
            return None
    return {"version": version_of(package, files), "files": {f.name: sha256_of(f) for f in files}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", action="store_true", help="only the packages marked first")
    parser.add_argument("--held-out", action="store_true", help="only the packages held out of training")
    parser.add_argument("--pin", action="store_true", help="write versions and hashes found into the manifest")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    packages, record = read_manifest(), {}
    environment = private_apt(folder)
    for package in packages:
        if options.first and not package.get("first") or options.held_out and package["split"] != "held_out":
            continue
        found = fetch(package, folder, environment)
        if not found:
            continue
        wanted = package.get("files")
        if wanted and wanted != found["files"]:
            print(f"{package['name']}: other bytes than the manifest's; left out", file=sys.stderr)
            continue
        record[f"{package['source']}/{package['name']}"] = found
        if options.pin:
            package.update(version=found["version"], files=found["files"])
    (folder / "fetched.json").write_text(json.dumps(record, indent=1) + "\n")
    if options.pin:
        write_manifest(packages)
    print(f"{len(record)} packages in {folder}")


if __name__ == "__main__":
    main()
