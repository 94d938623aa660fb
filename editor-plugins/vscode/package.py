#!/usr/bin/env python3
"""Bundles the extension and packs it: package.py [VSIX], by default build/cinnabar-VERSION.vsix of the repository.

A .vsix is a zip of the extension, a manifest and the files' media types. The same sources make the same bytes. Needs node and
npm; the locked packages are installed when the lock file is another than the last time.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUNDLE = f"{ROOT}/build/vscode"
TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher}/>
    <DisplayName>Cinnabar</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Properties><Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/></Properties>
    <License>extension/LICENSE</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE" Addressable="true"/>
  </Assets>
</PackageManifest>
"""
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension=".json" \
ContentType="application/json"/><Default Extension=".js" ContentType="application/javascript"/><Default Extension=".md" \
ContentType="text/markdown"/><Default Extension=".txt" ContentType="text/plain"/><Default Extension=".vsixmanifest" \
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


def contents():
    text = read(f"{HERE}/package.json")
    package = json.loads(text)
    named = {key: quoteattr(package[key]) for key in ("name", "version", "publisher")}
    manifest = MANIFEST.format(**named, description=package["description"], engine=quoteattr(package["engines"]["vscode"]))
    return {
        "[Content_Types].xml": TYPES,
        "extension.vsixmanifest": manifest,
        "extension/package.json": text,
        "extension/README.md": read(f"{HERE}/README.md"),
        "extension/LICENSE": read(f"{ROOT}/LICENSE"),
        "extension/NOTICE": licences(),
        "extension/dist/extension.js": read(f"{BUNDLE}/extension.js"),
    }


def write(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(path + ".new", "w") as archive:
        for name, text in contents().items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    os.replace(path + ".new", path)


def main():
    version = json.loads(read(f"{HERE}/package.json"))["version"]
    path = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else f"{ROOT}/build/cinnabar-{version}.vsix"
    install()
    run("npm", "run", "--silent", "bundle")
    write(path)
    print(f"{path}: {os.path.getsize(path) // 1024} KiB")


if __name__ == "__main__":
    main()
