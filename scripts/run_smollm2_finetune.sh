#!/usr/bin/env bash
# Trains on data/processed/korean_train.txt, which is downloaded where it is missing. Options and key=value follow. The workspace is the current folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.venv/bin:$PATH"
exec dadeum train "$root/configs/smollm2-ko.yaml" "$@"
