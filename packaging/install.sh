#!/bin/sh
# Installs Cinnabar from the unpacked archive that this script lies in, or from an archive file. Needs no network, no root and
# no compiler.
#
#   install.sh [--prefix FOLDER] [ARCHIVE.tar.gz]     default: ~/.local
#   install.sh --remove [--prefix FOLDER]
set -eu
prefix=$HOME/.local archive='' remove=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || { echo "install: --prefix needs a folder" >&2; exit 2; }; prefix=$2; shift;;
    --prefix=*) prefix=${1#--prefix=};;
    --remove) remove=yes;;
    -h|--help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0;;
    -*) echo "install: there is no option $1" >&2; exit 2;;
    *) archive=$1;;
  esac
  shift
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix;; esac

if [ -n "$remove" ]; then
  [ -x "$prefix/share/cinnabar/uninstall.sh" ] || { echo "install: Cinnabar is not installed in $prefix" >&2; exit 1; }
  exec "$prefix/share/cinnabar/uninstall.sh"
fi

work=''
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
if [ -n "$archive" ]; then
  [ -f "$archive" ] || { echo "install: there is no file $archive" >&2; exit 1; }
  mkdir -p "$prefix"
  work=$(mktemp -d "$prefix/.cinnabar.XXXXXX")  # beside its place, so that moving copies nothing
  tar -xzf "$archive" -C "$work" --strip-components=1
  tree=$work
else
  tree=$(cd "$(dirname "$0")" && pwd -P)
fi
list=share/cinnabar/installed.txt
[ -f "$tree/$list" ] || { echo "install: $tree holds no Cinnabar ($list is missing)" >&2; exit 1; }
[ "$tree" != "$prefix" ] || { echo "install: $prefix is the archive itself; name another folder with --prefix" >&2; exit 1; }

# An older version may have files that this one lacks.
[ ! -x "$prefix/share/cinnabar/uninstall.sh" ] || "$prefix/share/cinnabar/uninstall.sh" >/dev/null
while IFS= read -r file; do
  mkdir -p "$prefix/$(dirname "$file")"
  if [ -n "$work" ]; then mv "$tree/$file" "$prefix/$file"; else cp -p "$tree/$file" "$prefix/$file"; fi
done <"$tree/$list"

unit=$prefix/share/systemd/user/cinnabar.service  # systemd wants the program's absolute path
sed "s|^ExecStart=.*|ExecStart=\"$prefix/bin/cinnabar\" daemon|" "$unit" >"$unit.new" && mv "$unit.new" "$unit"

echo "Cinnabar is installed in $prefix; $prefix/share/cinnabar/uninstall.sh removes it."
case :$PATH: in
  *:"$prefix/bin":*) echo "Next: cinnabar doctor, then cinnabar setup neovim (or vscode, zed, helix, emacs).";;
  *) echo "Add it to PATH, for example in ~/.profile:  export PATH=\"$prefix/bin:\$PATH\"";;
esac
