#!/usr/bin/env python3
"""Writes the bill of materials of an installed tree, CycloneDX 1.5 as JSON: sbom.py ROOT BUILD TREE OUTPUT

What is in it stands elsewhere and is read there: NOTICE (libraries and licences), BUILD/packaging/linked.json (their versions),
cmake/grammars and cmake/sentencepiece (what is fetched, with its hashes), the model's own checksums, the .vsix's NOTICE.
SOURCE_DATE_EPOCH is its time.
"""
import base64
import hashlib
import json
import os
import re
import sys
import time
import uuid
import zipfile


def fail(text):
    sys.exit(f"sbom.py: {text}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def component(kind, name, version, licence, **more):
    reference = f"{name}@{version}" if version else name
    found = {"type": kind, "bom-ref": reference, "name": name, **({"version": version} if version else {}),
             "licenses": [{"expression": licence}] if " " in licence else [{"license": {"id": licence}}]}
    return {**found, **more}


def noticed(root):
    """name -> licence of the libraries that NOTICE lists"""
    listed = read(f"{root}/NOTICE").split("The program uses these libraries")[1].split("The tests use")[0]
    rows = [re.split(r"\s{2,}", line.strip()) for line in listed.split("\n") if line.startswith("  ")]
    if not rows or any(len(row) != 3 for row in rows):
        fail("NOTICE's table of libraries is not of the form NAME  LICENCE  PURPOSE")
    return {name: licence for name, licence, _ in rows}


def grammars(root):
    """tree-sitter's core and grammars, by the lock file"""
    locked = json.loads(read(f"{root}/cmake/grammars/package-lock.json"))["packages"]
    for name in sorted(json.loads(read(f"{root}/cmake/grammars/package.json"))["dependencies"]):
        entry = locked[f"node_modules/{name}"]
        algorithm, _, value = entry["integrity"].partition("-")
        if algorithm != "sha512":
            fail(f"{name} is locked by {algorithm}, expected sha512")
        yield component("library", name, entry["version"], entry["license"],
                        hashes=[{"alg": "SHA-512", "content": base64.b64decode(value).hex()}],
                        purl=f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}")


def libraries(root, build):
    licences = noticed(root)
    linked = json.loads(read(f"{build}/packaging/linked.json"))
    fetched = list(grammars(root))
    if set(licences) != set(linked) | {"tree-sitter"}:
        fail(f"NOTICE lists {sorted(licences)}, linked are {sorted(linked)} and tree-sitter")
    pinned = re.search(r"^sentencepiece==(\S+) --hash=sha256:(\w+)$", read(f"{root}/cmake/sentencepiece/requirements.txt"), re.M)
    for name, version in linked.items():
        if not version:
            fail(f"the build does not say which version of {name} it links")
        more = {}
        if name == "SentencePiece" and pinned[1] == version:
            more = {"hashes": [{"alg": "SHA-256", "content": pinned[2]}], "purl": f"pkg:pypi/sentencepiece@{version}"}
        yield component("library", name, version, licences[name], **more)
    yield from fetched


def model(tree, version):
    """The default model: one component, its files with their checksums as they stand beside them"""
    folder = f"{tree}/share/cinnabar/models/default"
    parts = json.loads(read(f"{folder}/parts.json"))
    adapter = read(f"{folder}/adapter.gguf.sha256").split()[0]
    files = [(parts["file"], parts["sha256"])] + [(part["file"], part["sha256"]) for part in parts["parts"]] + [("adapter.gguf", adapter)]
    return component("machine-learning-model", "cinnabar-model-default", version, "Apache-2.0",
                     description=read(f"{folder}/NOTICE").split("\n", 1)[0] + ", modified; its NOTICE says how",
                     components=[{"type": "file", "bom-ref": f"model/{name}", "name": name,
                                  "hashes": [{"alg": "SHA-256", "content": value}]} for name, value in files])


def extension(tree):
    """The npm packages in the VS Code extension, as the NOTICE inside it lists them"""
    path = f"{tree}/share/cinnabar/cinnabar.vsix"
    if not os.path.exists(path):
        return
    with zipfile.ZipFile(path) as archive:
        notice = archive.read("extension/NOTICE").decode()
    for name, version, licence in re.findall(r"^=+\n(\S+) (\S+), (\S+)$", notice, re.M):
        yield component("library", name, version, licence, purl=f"pkg:npm/{name.replace('@', '%40')}@{version}")


def bill(root, build, tree):
    version = re.search(r"^CMAKE_PROJECT_VERSION:\w+=(.+)$", read(f"{build}/CMakeCache.txt"), re.M)[1]
    program = component("application", "cinnabar", version, "Apache-2.0",
                        hashes=[{"alg": "SHA-256", "content": digest(f"{tree}/bin/cinnabar")}])
    carried = list(libraries(root, build))
    weights = model(tree, version)
    plugin = list(extension(tree))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, program['hashes'][0]['content'])}",
        "metadata": {"timestamp": stamp, "component": program},
        "components": [*carried, weights, *plugin],
        "dependencies": [{"ref": program["bom-ref"], "dependsOn": [part["bom-ref"] for part in [*carried, weights]]}],
    }


def main():
    if len(sys.argv) != 5 or "SOURCE_DATE_EPOCH" not in os.environ:
        sys.exit(__doc__)
    text = json.dumps(bill(*sys.argv[1:4]), indent=2) + "\n"
    with open(sys.argv[4], "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
