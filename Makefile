# The customer workbook. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SPARK_INSTALLED := $(VENV)/.installed-spark

# Options of report and lab: make report lang=zh as_of=2026-06 only=04 settings=shop/workbook.yaml
lang ?=
as_of ?=
only ?=
settings ?= workbook.yaml
# Options of test: make test tests="tests/test_rfm.py -x" jobs=1
tests ?=
jobs ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup report check lab test evidence lint format lock readme spark clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## make .venv from requirements.lock (the other targets do it when it is missing or old)

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The workbook needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
		echo "Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); } || { \
		echo "Python's venv module did not work (Debian and Ubuntu: apt install python3-venv)." >&2; rm -rf $(VENV); exit 1; }
	@echo "Installing the locked packages into $(VENV): once, one to three minutes ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(SPARK_INSTALLED): requirements-spark.lock $(INSTALLED)
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement requirements-spark.lock
	@touch $@

report: $(INSTALLED) ## render the sample's last complete month and print where its index.html is
	@$(BIN)/workbook render --settings $(settings) $(if $(as_of),--as-of $(as_of)) $(if $(only),--only $(only)) $(if $(lang),--lang $(lang))

check: $(INSTALLED) ## read the head of every source and report every problem at once
	@$(BIN)/workbook check --settings $(settings)

lab: $(INSTALLED) ## open JupyterLab on the notebooks (lang=zh: on Chinese copies)
	@$(BIN)/workbook lab $(if $(lang),--lang $(lang))

test: $(INSTALLED) ## run every test that this machine can run; the others say why they are skipped
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(jobs) --dist loadfile -ra $(tests)

evidence: $(INSTALLED) ## run the long simulations and write down what they show, tests/evidence/*.txt (an hour or so)
	@for script in tests/evidence/$(or $(only),*).py; do \
		echo "$$script ..."; name=$$(basename $$script .py); \
		OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m evidence.$$name > tests/evidence/$$name.new || exit 1; \
		mv tests/evidence/$$name.new tests/evidence/$$name.txt; done

lint: $(INSTALLED) ## style of code and notebooks, and the layers of the library
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache

format: $(INSTALLED) ## put code into the house style, and take the outputs out of notebooks
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/nbstripout notebooks/*.ipynb

readme: $(INSTALLED) ## write the table of notebooks into README.md again
	@$(BIN)/python -m workbook.output.contents README.md notebooks

lock: ## resolve pyproject.toml into the lock files again (upgrade=1: to the newest versions)
	@test -x $(BIN)/uv || { echo "make lock runs uv, which make setup installs." >&2; exit 1; }
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra postgres --extra pdf --extra dev \
		--universal --python-version 3.11 --generate-hashes --no-config --quiet $(if $(upgrade),--upgrade) --output-file requirements.lock
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"])' \
		| UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile - --constraint requirements.lock \
		--universal --python-version 3.11 --generate-hashes --no-config --no-annotate --quiet $(if $(upgrade),--upgrade) --output-file requirements-spark.lock
	@grep --line-number --extended-regexp '://|^ *-[-a-z]*(index|find-links)|@ file' requirements.lock requirements-spark.lock \
		&& { echo "A lock names an address or a path." >&2; exit 1; } || echo "Wrote requirements.lock and requirements-spark.lock."

spark: $(SPARK_INSTALLED) ## add PySpark (400 MB; needs Java 17) for data that outgrows one machine

clean: ## remove .venv and the caches (never a workspace)
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis lib/*.egg-info
