# dadeum: each target makes what it needs. `make demo` shows it; `make check` and `make test` are what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Real material for the tests, where it lies beside the checkout; tests that need it skip with a reason elsewhere.
export DADEUM_DATA ?= $(if $(wildcard ../shared/data),$(abspath ../shared/data),)
export DADEUM_REQUIRE_DATA ?= $(if $(and $(CI),$(DADEUM_DATA)),1,)
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test check proof format docs clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

# All of dadeum on a small Korean model, in dadeum-quickstart/; every core is used.
demo: $(VENV)/.ready
	env -u OMP_NUM_THREADS $(BIN)/dadeum quickstart

test: $(VENV)/.ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(VENV)/.ready
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/reference.py --check

# The long grids, kill sweeps and benchmarks behind the claims; writes docs/results/.
proof: $(VENV)/.ready
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python -m scripts.adapter_grid --to docs/results/adapters.md
	$(BIN)/python -m scripts.head_grid --to docs/results/heads.md
	test -z "$(DADEUM_DATA)" || $(BIN)/python -m scripts.head_results .proof/heads
	OMP_NUM_THREADS=2 $(BIN)/python benchmarks/train.py --to docs/results/train.md
	test -d .peers || $(BIN)/python benchmarks/data.py --install .peers
	$(BIN)/python benchmarks/data.py --envs .peers --rounds 3 --check --to docs/results/data_speed.md
	$(BIN)/python benchmarks/data.py --sets single --rows 5000000 --rounds 1 --to docs/results/data_memory.md

format: $(VENV)/.ready
	$(BIN)/ruff check --fix-only src tests scripts benchmarks
	$(BIN)/ruff format src tests scripts benchmarks

docs: $(VENV)/.ready
	$(BIN)/python scripts/reference.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
