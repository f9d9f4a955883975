#!/usr/bin/env bash
# One GGUF file of the last run: LLAMA_CPP_DIR=/path/to/llama.cpp scripts/run_smollm2_gguf.sh The workspace is the current folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.venv/bin:$PATH"
exec dadeum export gguf smollm2-ko "$@"
