# Few verbs. Each sets up what it needs in .venv; nothing outside this folder is touched.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench mutants gallery docs clean
.DEFAULT_GOAL := run

# Runs rate_cut on the embedded market.
run: .venv/ready
	$(BIN)/rotation run rate_cut

test: .venv/ready-dev
	$(BIN)/python -m pytest -n 2

check: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --allow-untyped-defs --allow-incomplete-defs strategies # a script reads like its thesis, without return types
	$(BIN)/lint-imports

bench: .venv/ready-bench
	$(BIN)/python -m benchmarks.engines
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.answer
	$(BIN)/python -m benchmarks.tuning

# Changes the code a little, over and over, and fails where no test notices; see CONTRIBUTING.md.
mutants: .venv/ready-mutants
	nice -n 10 $(BIN)/python -m benchmarks.mutants

# Rebuilds the committed pages of the shipped strategies.
gallery: .venv/ready
	$(BIN)/rotation gallery

# Builds the documentation as pages that open offline, build/site/index.html, and runs the notebooks among it.
docs: .venv/ready-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -d build/doctrees docs build/site

clean:
	rm -rf .venv build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "size-rotation needs Python 3.11 or later; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/ready-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/ready

.venv/ready-bench: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@ .venv/ready .venv/ready-dev

.venv/ready-mutants: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,mutants]'
	@touch $@ .venv/ready .venv/ready-dev

.venv/ready-docs: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@ .venv/ready
