.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.installed

.PHONY: help setup demo test unit lint bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with ratehouse in it, from the lock file

# The stamp depends on the lock and the project file only, so a second `make setup` does nothing.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "Ratehouse needs Python 3.11 to 3.13; found $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements.lock)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@
	@echo "ratehouse is installed: $(BIN)/ratehouse"

demo: setup ## run the main job on a bundled sample, in ./.demo
	@$(BIN)/ratehouse demo --home .demo

test: setup lint ## lint, types, and every test
	@$(BIN)/pytest -q -n auto --dist loadfile

unit: setup ## the tests that take seconds
	@$(BIN)/pytest -q -n auto --dist loadfile tests/unit

lint: setup ## style, types, import rules, SQL
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfluff lint --nocolor --disable-progress-bar dbt_project/models dbt_project/tests

bench: setup ## rows/s and memory of every stage beside the plain engine, as ratios
	@$(BIN)/python tests/benchmarks/bench.py

lock: setup ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --quiet --output-file requirements.lock pyproject.toml

clean: ## remove what make made, the demo's home too
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
