#!/usr/bin/env bash
set -euo pipefail

source_dir="${1:?usage: backup.sh SOURCE TARGET}"
target_dir="${2:?usage: backup.sh SOURCE TARGET}"
keep=7

log() {
  echo "$(date '+%F %T') $*"
}

make_backup() {
  local name="backup-$(date +%Y%m%d-%H%M%S).tar.gz"
  mkdir -p "$target_dir"
  tar -czf "$target_dir/$name" -C "$source_dir" .
  log "wrote $target_dir/$name"
}

# Removes all but the newest backups.
remove_old() {
  ls -1t "$target_dir"/backup-*.tar.gz | tail -n +$((keep + 1)) | while read -r old; do
    log "removing $old"
    rm -- "$old"
  done
}

if [[ ! -d "$source_dir" ]]; then
  log "no such directory: $source_dir" >&2
  exit 1
fi

make_backup
remove_old
log "done, $(du -sh "$target_dir" | cut -f1) in use"
