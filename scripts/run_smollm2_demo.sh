#!/usr/bin/env bash
# The base model goes on with a text: scripts/run_smollm2_demo.sh "Gravity is" --temperature 0.7 The workspace is the current folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.venv/bin:$PATH"
exec dadeum ask "${1:-Gravity is}" --raw --model HuggingFaceTB/SmolLM2-135M --max-new-tokens 64 "${@:2}"
