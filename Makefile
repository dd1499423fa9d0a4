# make install    .venv with dependencies that are pinned and whose files are compared with their hashes
# make demo       the main job, end to end, into demo/ (under 10 minutes on two cores)
# make test       lint, types, tests (some ten minutes)
# make test-fast  lint, and the tests that take less than a second each (a minute on two cores)
# make test-faults  every bad input, kill, full disk and variant that there is no time for every day (three minutes on two cores)
# make docs       the site, guide and API, into site/
# make web        the pages' JavaScript into src/cheart/web/, by the machine's Node or by one from PyPI
# make notebooks  run examples/*.ipynb anew, with their outputs
# make lock       requirements.lock anew, of pyproject.toml and constraints.txt
# make audit      what is known of weaknesses in what is pinned

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PAGE := src/cheart/web/page.html
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder
# One thread a process: tests run in $(JOBS) processes, and threads of all of them would only wait for each other.
# A module's tests run in one process, so that what they share is made once.

.PHONY: install demo test test-fast test-faults lint types docs web notebooks lock audit clean

install: $(VENV)/.installed
	@$(MAKE) --no-print-directory web || echo "cheart is installed; cheart atlas and cheart view wait for: make web"

# torch is pinned but not hashed: which of its builds is the right one (CPU, CUDA, of which index) differs from machine to
# machine, and so do its hashes. What it needs beside a GPU's libraries is in the lock and installed before it. The last line
# finds all that it needs there (tests/test_lock.py).
$(VENV)/.installed: pyproject.toml constraints.txt requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cheart needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(PIP) torch
	$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

web: $(PAGE)

$(PAGE): $(wildcard web/src/*) web/build.mjs web/build.sh web/package.json web/package-lock.json | $(VENV)/.installed
	@web/build.sh $(BIN)

demo: install
	$(BIN)/cheart demo demo --overwrite

test: lint types
	$(PYTEST)

test-fast: lint
	$(PYTEST) -m 'not slow and not faults'

test-faults: install
	$(PYTEST) tests/faults -m 'faults or not faults'
	$(PYTEST) --ignore tests/faults -m faults

lint: install
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples

types: install
	$(BIN)/mypy

docs: install
	$(PIP) --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

notebooks: install
	$(PIP) --editable '.[notebooks]'
	$(BIN)/python examples/run_notebooks.py

lock: install
	$(PIP) uv
	printf "torch ; sys_platform == 'never'\n" > $(VENV)/without-torch.txt
	printf '%s\n' hatchling editables filelock fsspec jinja2 networkx 'setuptools>=77.0.3' sympy typing-extensions > $(VENV)/more.in
	$(BIN)/uv pip compile --quiet pyproject.toml $(VENV)/more.in --extra dev --override $(VENV)/without-torch.txt \
		--constraint constraints.txt --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-package torch --custom-compile-command 'make lock' --output-file requirements.lock

audit: install
	$(PIP) pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf $(VENV) demo site src/cheart/web web/node_modules .pytest_cache .mypy_cache .ruff_cache
