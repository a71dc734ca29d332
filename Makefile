# Everything starts from Python (3.11 or later), make and a C compiler: `make demo`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test lint format docs wheel readme weights clean help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable ".[dev]"
	touch $@

demo: $(INSTALLED)  ## restore, try on, take off, swap and dress what nobody trained on: out/demo/index.html
	$(BIN)/toile demo --output out/demo

lint: $(INSTALLED)  ## formatting, style, types, direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint  ## the linters and every test
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile

format: $(INSTALLED)  ## let ruff rewrite what it can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(INSTALLED)  ## the documentation as pages to read: out/docs/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: $(INSTALLED)  ## build the wheel, install it with each extra into environments of its own, and run it there
	$(BIN)/python -m tests.packaging.wheel

readme: $(INSTALLED)  ## write the README's tree anew
	$(BIN)/python -m tests.readme_tree

weights: $(INSTALLED)  ## the whole chain of trainings behind the bundled weights; resumes where it stopped
	$(BIN)/python -m toile.training.chain

clean:  ## remove the environment, caches and outputs
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
