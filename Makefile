# Everything runs in a virtual environment of the checkout; a stamp per extra keeps a second `make` from setting up again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
VIDEO ?=
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: setup setup-train setup-dev demo test test-all test-light test-lowest docs lint clean
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

$(VENV)/.light $(VENV)/.lowest $(VENV)/.docs: $(VENV)/.%: $(VENV)/bin/python pyproject.toml requirements/%.txt
	$(call install,$*)

demo: setup
	$(BIN)/exerlitenet demo $(if $(VIDEO),"$(VIDEO)")

# One process a core, four at most, and each test file in one of them, since tests of a file share what they trained.
PYTEST := -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
FAST := -m "not slow"

test: setup-dev
	$(BIN)/python $(PYTEST) $(FAST)

# Full backbones, long runs and a real browser among them.
test-all: setup-dev
	$(BIN)/python $(PYTEST)

# Each in an environment of its own. light: what `make setup` installs and pytest, so no Keras and no TensorFlow. lowest: the same in
# the oldest versions that pyproject.toml allows. What needs Keras skips in both.
test-light test-lowest: test-%:
	$(MAKE) VENV=.venv-$* .venv-$*/.$*
	.venv-$*/bin/python $(PYTEST) $(FAST)

# Into build/site, with warnings as errors.
docs:
	$(MAKE) VENV=.venv-docs .venv-docs/.docs
	.venv-docs/bin/python tools/build_site.py

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-light .venv-lowest .venv-docs build/site .pytest_cache .mypy_cache .ruff_cache

# Pins what the requirement files name, with the hashes of every platform's wheels.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
.PHONY: pins
pins: setup
	$(PIP) install --quiet uv
	$(LOCK) --extra app pyproject.toml requirements/build.in -o requirements/base.txt
	$(LOCK) -c requirements/base.txt --extra app --extra train pyproject.toml requirements/build.in -o requirements/train.txt
	$(LOCK) -c requirements/train.txt --extra app --extra train --extra dev pyproject.toml requirements/build.in -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt --extra app --extra test pyproject.toml requirements/build.in -o requirements/light.txt
	$(LOCK) -c requirements/dev.txt --extra docs pyproject.toml requirements/build.in -o requirements/docs.txt
	$(LOCK) --resolution lowest-direct --extra app --extra test pyproject.toml requirements/build.in -o requirements/lowest.txt
