# Two commands: `make run` measures, `make test` checks everything. Both set up .venv first.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run results test check quicktest docs lock clean

help:  ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/run: requirements/run.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "cnnbench needs Python 3.11 or newer; set PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

run: .venv/run  ## Measure Simple CNN on every stack that runs here
	$(BIN)/cnnbench run $(ARGS)

results: .venv/run  ## Measure the published rows here and write RESULTS.md: hours, and goes on
	$(BIN)/python benchmarks/results.py $(ARGS)

TWO_AT_ONCE := --numprocesses 2 --dist worksteal

test: .venv/dev check  ## Check and test everything, real stacks included
	$(BIN)/pytest -m "not stacks" $(TWO_AT_ONCE) $(ARGS)
	$(BIN)/pytest -m "quiet" $(ARGS)
	$(BIN)/pytest -m "stacks and not quiet" $(TWO_AT_ONCE) $(ARGS)

quicktest: .venv/dev check  ## The same without the real stacks
	$(BIN)/pytest -m "not stacks" $(TWO_AT_ONCE) $(ARGS)

check: .venv/dev  ## Format, lint, types, layers, the guest's grammar
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --quiet --no-tips --violations --target=3.6- src/cnnbench/probe

docs: .venv/dev  ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: .venv/dev  ## Resolve the requirement files anew
	$(BIN)/uv pip compile --quiet pyproject.toml --group build --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements/run.txt --upgrade
	$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements/dev.txt --upgrade

clean:  ## Remove the environment
	rm -rf .venv
