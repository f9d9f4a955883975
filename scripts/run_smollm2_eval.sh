#!/usr/bin/env bash
# Base against tuned by perplexity on data/processed/korean_eval.txt, else on built-in samples; trains first where that is to do. The workspace is the current folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.venv/bin:$PATH"
exec dadeum run "$root/configs/smollm2-ko.yaml" export=[] "$@"
