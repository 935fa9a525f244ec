# Everything runs in a virtual environment of the checkout; a stamp per extra keeps a second `make` from setting up again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
VIDEO ?=
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: setup setup-train setup-dev demo test lint clean
setup: $(VENV)/.base
setup-train: $(VENV)/.train
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

# Hashes are checked for everything that is downloaded; the project itself is then installed in place.
define install
	$(PIP) install --quiet --require-hashes -r requirements/$(1).txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@
endef

$(VENV)/.base: $(VENV)/bin/python pyproject.toml requirements/base.txt
	$(call install,base)

$(VENV)/.train: $(VENV)/.base requirements/train.txt
	$(call install,train)

$(VENV)/.dev: $(VENV)/.train requirements/dev.txt
	$(call install,dev)

demo: setup
	$(BIN)/exerlitenet demo $(if $(VIDEO),"$(VIDEO)")

test: setup-dev
	$(BIN)/python -m pytest

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# Pins what the three requirement files name, with the hashes of every platform's wheels.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
.PHONY: pins
pins: setup
	$(PIP) install --quiet uv
	$(LOCK) pyproject.toml requirements/build.in -o requirements/base.txt
	$(LOCK) -c requirements/base.txt --extra train pyproject.toml requirements/build.in -o requirements/train.txt
	$(LOCK) -c requirements/train.txt --extra train --extra dev pyproject.toml requirements/build.in -o requirements/dev.txt
