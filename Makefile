# What a person or a pipeline calls. `make help` lists it. Nothing here needs more than Python >= 3.11 and pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed.lock
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check mutants bench format lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## virtual environment with the locked packages; done again only when the lock changes
	@if ! cmp -s requirements.lock $(INSTALLED) || ! $(BIN)/python -c 'import kaquan' 2>/dev/null; then \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Kaquan needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). 需要 Python 3.11 或更新版本。"; \
	    echo "Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }; \
	  echo "Installing the locked packages into $(VENV) … 正在安装锁定的依赖"; \
	  $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || exit 1; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . && \
	  cp requirements.lock $(INSTALLED); \
	fi

demo: setup ## 90 days of three programs on a private PostgreSQL: make demo ARGS="--holders 100 --days 30"
	@$(BIN)/kaquan demo $(ARGS)

test: check ## everything in check, then all tests
	$(BIN)/python -m pytest -n $(WORKERS)

check: setup ## style, types, import contracts, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/tidy

mutants: setup ## sabotage the code in named ways; each must turn its named test red: make mutants ARGS="--share 1/3"
	$(BIN)/python tests/mutants/run.py $(ARGS)

bench: setup ## durable payments a second, against pgbench in the same minute (docs/benchmarks.md)
	$(BIN)/python bench/ledger.py $(ARGS)

format: setup ## put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## pin the newest packages that pyproject.toml allows, for every platform, with hashes (needs uv)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group dev --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  pyproject.toml --output-file requirements.lock

clean: ## remove what can be made again; the data in .kaquan stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
