#!/usr/bin/env bash
# Runs one command while another has the machine: the first gets what the second leaves of the processors, and is heard
# when both have ended. Fails if either does.
#
#   tools/beside.sh 'pytest what/only/computes' 'pytest what/mostly/waits && pytest more/of/that'
set -euo pipefail

log="$(mktemp)"
nice -n 19 bash -c "exec $1" >"$log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true; rm -f "$log"' EXIT

result=0
bash -c "$2" || result=$?
wait "$beside" || result=$?
cat "$log"
exit "$result"
