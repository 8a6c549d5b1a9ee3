#!/usr/bin/env bash
# PostgreSQL, Redis and Chromium for the tests that need them, from the packages of Debian or Ubuntu where they are missing.
# The tests start servers of their own; those that the packages bring are neither used nor touched.
set -euo pipefail

# Debian keeps the programs of PostgreSQL beside the PATH.
PATH="$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin)"

missing=()
command -v initdb >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
[ "${#missing[@]}" -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if ! command -v apt-get >/dev/null; then
  echo "Please install ${missing[*]} with the package manager of this system." >&2
  exit 1
fi
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
