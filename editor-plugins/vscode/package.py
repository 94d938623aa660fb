#!/usr/bin/env python3
"""Bundles the extension and packs it: package.py [VSIX] [--bundle PREFIX]

VSIX is build/cinnabar-VERSION.vsix of the repository by default. --bundle takes program and model from an installation below
PREFIX into it, which makes it an extension for one platform, and one install is all.

A .vsix is a zip of the extension, a manifest and the files' media types. The same sources make the same bytes. Needs node and
npm; the locked packages are installed when the lock file is another than the last time.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUNDLE = f"{ROOT}/build/vscode"
TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher}{target}/>
    <DisplayName>Cinnabar</DisplayName>
    <Categories>{categories}</Categories>
    <Tags>{tags}</Tags>
    <Icon>extension/media/icon.png</Icon>
    <Description xml:space="preserve">{description}</Description>
    <Properties><Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/></Properties>
    <License>extension/LICENSE</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/media/icon.png" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE" Addressable="true"/>
  </Assets>
</PackageManifest>
"""
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension=".json" \
ContentType="application/json"/><Default Extension=".js" ContentType="application/javascript"/><Default Extension=".md" \
ContentType="text/markdown"/><Default Extension=".png" ContentType="image/png"/><Default Extension=".txt" ContentType="text/plain"/>\
<Default Extension=".vsixmanifest" \
ContentType="text/xml"/><Override PartName="/extension/LICENSE" ContentType="text/plain"/><Override \
PartName="/extension/NOTICE" ContentType="text/plain"/></Types>
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(*command):
    print("+", " ".join(command), flush=True)
    if subprocess.run(command, check=False, cwd=HERE).returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")


def install():
    """The locked packages; their scripts are not run, and none needs to be."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is not here; Debian has it in the packages nodejs and npm")
    lock, installed = f"{HERE}/package-lock.json", f"{HERE}/node_modules/.installed"
    if not os.path.exists(installed) or read(installed) != read(lock):
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        shutil.copyfile(lock, installed)


def bundled_packages():
    """Folders of the npm packages whose code is in the bundle."""
    (output,) = json.loads(read(f"{BUNDLE}/meta.json"))["outputs"].values()
    inputs = output["inputs"]
    used = [re.match(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+", path) for path, part in inputs.items() if part["bytesInOutput"] > 0]
    return sorted({match[0] for match in used if match})


def licences():
    """The NOTICE: each bundled package with the text of its licence, which has to be there."""
    parts = ["Cinnabar for VS Code\nLicensed under the Apache License, Version 2.0; the text is in LICENSE.\n"
             "dist/extension.js contains code of these npm packages:\n"]
    for folder in bundled_packages():
        package = json.loads(read(f"{HERE}/{folder}/package.json"))
        texts = sorted(name for name in os.listdir(f"{HERE}/{folder}") if re.match(r"(?i)licen[sc]e|thirdparty|notice", name))
        if not any(re.match(r"(?i)licen[sc]e", name) for name in texts):
            raise SystemExit(f"{folder} has no licence text")
        parts.append(f"{'=' * 80}\n{package['name']} {package['version']}, {package['license']}\n")
        parts += [read(f"{HERE}/{folder}/{name}").replace("\r\n", "\n").strip() + "\n" for name in texts]
    return "\n".join(parts)


PROGRAM_FILES = ("bin/cinnabar", "share/doc/cinnabar/", "share/cinnabar/models/", "lib/cinnabar/")  # of an installation


def platform(program):
    """VS Code's name for the machine that an ELF program is for."""
    with open(program, "rb") as file:
        head = file.read(20)
    machines = {62: "linux-x64", 183: "linux-arm64"}
    if head[:4] != b"\x7fELF" or head[18] not in machines:
        raise SystemExit(f"{program} is no program for x86-64 or arm64 Linux")
    return machines[head[18]]


def media_types(names):
    """[Content_Types].xml: what has no known ending gets an entry of its own."""
    known = {".json", ".js", ".md", ".png", ".txt", ".vsixmanifest"}
    extra = "".join(f'<Override PartName={quoteattr("/" + name)} ContentType="application/octet-stream"/>'
                    for name in names if os.path.splitext(name)[1] not in known and f"/{name}" not in TYPES)
    return TYPES.replace("</Types>", extra + "</Types>")


def contents(prefix):
    """name in the archive -> text, or the file whose bytes go there"""
    text = read(f"{HERE}/package.json")
    package = json.loads(text)
    named = {key: quoteattr(package[key]) for key in ("name", "version", "publisher")}
    target = f' TargetPlatform="{platform(prefix + "/bin/cinnabar")}"' if prefix else ""
    manifest = MANIFEST.format(**named, description=package["description"], engine=quoteattr(package["engines"]["vscode"]), target=target,
                               categories=",".join(package["categories"]), tags=",".join(package["keywords"]))
    found = {
        "extension.vsixmanifest": manifest,
        "extension/package.json": text,
        "extension/README.md": read(f"{HERE}/README.md"),
        "extension/LICENSE": read(f"{ROOT}/LICENSE"),
        "extension/NOTICE": licences(),
        "extension/dist/extension.js": read(f"{BUNDLE}/extension.js"),
        "extension/media/icon.png": Path(f"{HERE}/media/icon.png"),
        **{f"extension/media/{name}": read(f"{HERE}/media/{name}") for name in ("keys.md", "program.md")},
        # VS Code shows the README with them.
        **{f"extension/media/pictures/{path.name}": path for path in sorted(Path(f"{HERE}/media/pictures").glob("*.png"))},
    }
    if prefix:
        listed = read(f"{prefix}/share/cinnabar/installed.txt").split()
        found |= {f"extension/program/{name}": Path(f"{prefix}/{name}") for name in sorted(listed) if name.startswith(PROGRAM_FILES)}
    return {"[Content_Types].xml": media_types(found), **found}


def write(path, prefix):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(path + ".new", "w") as archive:
        for name, content in contents(prefix).items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = (0o755 if name == "extension/program/bin/cinnabar" else 0o644) << 16
            # A model's weights do not get smaller, they only take long.
            is_weights = isinstance(content, Path) and content.stat().st_size > 1 << 24
            entry.compress_type = zipfile.ZIP_STORED if is_weights else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.read_bytes() if isinstance(content, Path) else content)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vsix", nargs="?")
    parser.add_argument("--bundle", metavar="PREFIX")
    parser.add_argument("--check", action="store_true", help="only check the extension's types")
    chosen = parser.parse_args()
    install()
    if chosen.check:
        run("npm", "run", "--silent", "check")
        return
    version = json.loads(read(f"{HERE}/package.json"))["version"]
    ending = f"-{platform(chosen.bundle + '/bin/cinnabar')}" if chosen.bundle else ""
    path = os.path.abspath(chosen.vsix or f"{ROOT}/build/cinnabar-{version}{ending}.vsix")
    run("npm", "run", "--silent", "bundle")
    write(path, chosen.bundle)
    print(f"{path}: {os.path.getsize(path) // 1024} KiB")


if __name__ == "__main__":
    main()
