#!/bin/sh
# Installs Cinnabar from the unpacked archive that this script lies in, or from an archive file. Needs no network, no root and
# no compiler. An archive is compared with the file SHA256SUMS where that lies beside it.
#
#   install.sh [--prefix FOLDER] [ARCHIVE.tar.gz]     default: ~/.local
#   install.sh --uninstall [--prefix FOLDER]
#
# All files are complete beside their places before the first one, or one of an older version, is touched.
set -eu
prefix=${HOME:-}/.local archive='' remove=''
fail() { echo "install: $*" >&2; exit 1; }
usage() { echo "install: $*; --help says how" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || usage "--prefix needs a folder"; prefix=$2; shift;;
    --prefix=*) prefix=${1#--prefix=};;
    --uninstall) remove=yes;;
    -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0;;
    -*) usage "there is no option $1";;
    *) [ -z "$archive" ] || usage "one archive, not two: $archive and $1"; archive=$1;;
  esac
  shift
done
case $prefix in
  /.local|'') usage "there is no home folder (HOME); name a folder with --prefix";;
  *[[:cntrl:]]*) usage "the folder's name has a control character; name another folder with --prefix";;
  /*) ;;
  *) prefix=$PWD/$prefix;;
esac
[ ! -d "$prefix" ] || prefix=$(cd "$prefix" && pwd) || fail "$prefix cannot be entered"

if [ -n "$remove" ]; then
  [ -x "$prefix/share/cinnabar/uninstall.sh" ] || fail "Cinnabar is not installed in $prefix"
  exec "$prefix/share/cinnabar/uninstall.sh"
fi

# --- what is refused before anything is written ---
machine_of() {  # PROGRAM: for which machine an ELF file is
  case $(od -An -tu1 -N20 "$1" 2>/dev/null | tr -s ' \n' ' ') in
    ' 127 69 76 70 2 1 '*' 62 0 '*) echo x86_64;;
    ' 127 69 76 70 2 1 '*' 183 0 '*) echo aarch64;;
    *) echo unknown;;
  esac
}
check_sum() {  # ARCHIVE: against SHA256SUMS beside it
  sums=$(dirname "$1")/SHA256SUMS
  [ -f "$sums" ] || return 0
  expected=$(awk -v name="$(basename "$1")" '$2 == name || $2 == "*" name { print $1; exit }' "$sums")
  [ -n "$expected" ] || fail "$sums does not name $(basename "$1"): is it of another release?"
  command -v sha256sum >/dev/null || fail "sha256sum is not here, so $1 cannot be compared with $sums"
  [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$expected" ] ||
    fail "$1 is not what $sums says (SHA-256 differs): it is damaged or incomplete; fetch it again"
}
[ "$(uname -s)" = Linux ] || fail "this is a program for Linux, not for $(uname -s)"
if [ -n "$archive" ]; then
  [ -f "$archive" ] || fail "there is no file $archive"
  check_sum "$archive"
else
  tree=$(cd "$(dirname "$0")" && pwd -P)
  near=$prefix
  while [ ! -d "$near" ]; do near=$(dirname "$near"); done
  case $(cd "$near" && pwd -P)/ in
    "$tree"/*) fail "$prefix is the archive itself; name another folder with --prefix";;
  esac
fi
reason() {  # TEXT: the first line of it that says something
  line=$(printf '%s\n' "$1" | sed -n '/[^[:space:]]/{p;q;}')
  echo "${line:-no reason was given}"
}
check_place() {  # FILE of the list: whether it can be put into the prefix
  [ ! -d "$prefix/$1" ] || fail "$prefix/$1 is a folder, where a file is to be; move it away"
  folder=$(dirname "$1")
  while [ "$folder" != . ]; do
    if [ -e "$prefix/$folder" ] || [ -L "$prefix/$folder" ]; then
      [ -d "$prefix/$folder" ] || fail "$prefix/$folder is no folder, where one is to be; move it away"
      [ -w "$prefix/$folder" ] || fail "$prefix/$folder cannot be written to"
    fi
    folder=$(dirname "$folder")
  done
}

# --- everything into a folder beside its place, so that moving it there later copies nothing ---
oldest=$prefix  # the first of the folders on the way that is not there yet
while [ ! -d "$(dirname "$oldest")" ]; do oldest=$(dirname "$oldest"); done
[ ! -d "$prefix" ] || oldest=''
work=''
undo() {
  [ -z "$work" ] || rm -rf "$work"
  [ -z "$oldest" ] || [ ! -d "$oldest" ] || find "$oldest" -depth -type d -exec rmdir {} \; 2>/dev/null || :
}
trap undo EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$prefix" 2>/dev/null || fail "$prefix cannot be made"
work=$(mktemp -d "$prefix/.cinnabar.XXXXXX" 2>/dev/null) || fail "$prefix cannot be written to"
if [ -n "$archive" ]; then
  said=$(tar -xzf "$archive" -C "$work" --strip-components=1 2>&1) ||
    fail "$archive could not be unpacked in $prefix (is it complete, is there space?): $(reason "$said")"
else
  said=$(cp -Rp "$tree/." "$work" 2>&1) ||
    fail "the files could not be copied to $prefix (is there space?): $(reason "$said")"
fi
list=$work/share/cinnabar/installed.txt
[ -f "$list" ] || fail "${archive:-$tree} holds no Cinnabar (share/cinnabar/installed.txt is missing)"
while IFS= read -r file || [ -n "$file" ]; do
  case $file in ''|/*|../*|*/../*) fail "${archive:-$tree} lists the path '$file', which is none of a release";; esac
  [ -f "$work/$file" ] || fail "${archive:-$tree} is incomplete: $file is missing"
  check_place "$file"
done <"$list"
unit=share/systemd/user/cinnabar.service
for file in bin/cinnabar share/cinnabar/installed.txt share/cinnabar/uninstall.sh $unit; do
  grep -qxF "$file" "$list" || fail "${archive:-$tree} is incomplete: its list lacks $file"
done
machine=$(machine_of "$work/bin/cinnabar")
[ "$machine" = "$(uname -m)" ] || fail "this is the program for $machine, and this machine is $(uname -m)"
said=$("$work/bin/cinnabar" --version 2>&1) || fail "the program does not run here (it needs glibc 2.31): $(echo "$said" | tail -n 1)"
# systemd wants the program's absolute path, with its own quoting; sed, then, has three characters of meaning in what it puts in.
program=$(printf '%s' "$prefix/bin/cinnabar" | sed 's/["\\]/\\&/g; s/%/%%/g' | sed 's/[\\&|]/\\&/g')
sed "s|^ExecStart=.*|ExecStart=\"$program\" daemon|" "$work/$unit" >"$work/unit.new" ||
  fail "the service's file could not be written in $prefix (is there space?)"
mv "$work/unit.new" "$work/$unit"

# --- into place: only renames, without a pause ---
trap '' HUP INT TERM
# An older version may have files that this one lacks.
[ ! -x "$prefix/share/cinnabar/uninstall.sh" ] || "$prefix/share/cinnabar/uninstall.sh" >/dev/null
while IFS= read -r file || [ -n "$file" ]; do
  [ "$file" != share/cinnabar/installed.txt ] || continue
  said_of_move=$(mkdir -p "$prefix/$(dirname "$file")" 2>&1 && mv -f "$work/$file" "$prefix/$file" 2>&1) ||
    fail "$prefix/$file could not be put in its place; install again: $(reason "$said_of_move")"
done <"$list"
mv -f "$list" "$prefix/share/cinnabar/installed.txt" || fail "$prefix/share/cinnabar/installed.txt could not be written; install again"
oldest=''

quoted() {  # PATH as a shell takes it
  case $1 in
    *[!A-Za-z0-9_/.,+:@%=-]*) printf "'%s'\n" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")";;
    *) printf '%s\n' "$1";;
  esac
}

echo "$said is installed in $prefix; $(quoted "$prefix/share/cinnabar/uninstall.sh") removes it."
case :$PATH: in
  *:"$prefix/bin":*) echo "Next: cinnabar doctor, then cinnabar setup neovim (or vscode, zed, helix, emacs).";;
  *) echo "Add it to PATH, for example in ~/.profile:  export PATH=$(quoted "$prefix/bin"):\"\$PATH\"";;
esac
