#!/bin/sh
# Removes an installation of Cinnabar: the files that installed.txt beside this script lists, then the folders that are empty
# without them. Settings, and what editors were told by `cinnabar setup`, stay: undo the latter first (cinnabar setup --undo).
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
prefix=$(cd "$here/../.." && pwd -P)
[ -f "$here/installed.txt" ] || { echo "uninstall: $here/installed.txt is missing; nothing was removed" >&2; exit 1; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT
sort -r "$here/installed.txt" >"$list"
while IFS= read -r file; do
  case $file in ''|/*|../*|*/../*) echo "uninstall: refusing the path '$file'" >&2; exit 1;; esac
done <"$list"
while IFS= read -r file; do
  rm -f "$prefix/$file"
  folder=$(dirname "$file")
  while [ "$folder" != . ]; do
    rmdir "$prefix/$folder" 2>/dev/null || break
    folder=$(dirname "$folder")
  done
done <"$list"
rmdir "$prefix" 2>/dev/null || :  # where nothing but Cinnabar was
echo "Cinnabar is removed from $prefix"
