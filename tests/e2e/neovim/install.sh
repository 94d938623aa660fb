#!/usr/bin/env bash
# Unpacks Debian's Neovim 0.12 into FOLDER (57 MB) without touching the system: FOLDER/nvim starts it. Needs a network,
# apt-get and dpkg; patchelf is fetched the same way where it is missing.
#   install.sh FOLDER
set -euo pipefail
FOLDER=$(realpath -m "$1") SUITE=forky
[[ ! -x $FOLDER/nvim ]] || exit 0
WORK=$(mktemp -d); trap 'rm -rf "$WORK"' EXIT
mkdir -p "$FOLDER" "$WORK"/{lists/partial,cache/archives/partial}; : >"$WORK/status"
MIRROR=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
APT=(apt-get -qq -o DPkg::Lock::Timeout=500 -o Dir::Etc::sourcelist="$WORK/sources.list" -o Dir::Etc::sourceparts=/dev/null
     -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$WORK/lists"
     -o Dir::State::status="$WORK/status" -o Dir::Cache="$WORK/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)

unpack() {  # SUITE PACKAGE FOLDER: the package and all it depends on, down to libc
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $1 main" >"$WORK/sources.list"
  rm -f "$WORK"/cache/archives/*.deb
  "${APT[@]}" update
  "${APT[@]}" -y --no-install-recommends --download-only install "$2"
  for package in "$WORK"/cache/archives/*.deb; do dpkg -x "$package" "$3"; done
}

PATCHELF=$(command -v patchelf || true)
if [[ -z $PATCHELF ]]; then
  unpack bookworm patchelf "$WORK/patchelf"
  PATCHELF=$WORK/patchelf/usr/bin/patchelf
fi
unpack "$SUITE" neovim "$FOLDER"
# Its own libc and libraries, so that what Neovim starts still finds the system's.
LOADER=$(find "$FOLDER" -name ld-linux-x86-64.so.2 | head -n 1)
"$PATCHELF" --set-interpreter "$LOADER" --force-rpath --set-rpath "\$ORIGIN/../lib/x86_64-linux-gnu" "$FOLDER/usr/bin/nvim"
printf '#!/bin/sh\nexport VIMRUNTIME=%s/usr/share/nvim/runtime\nexec %s/usr/bin/nvim "$@"\n' "$FOLDER" "$FOLDER" >"$FOLDER/nvim"
chmod +x "$FOLDER/nvim"
"$FOLDER/nvim" --version | head -n 1
