# Everything runs in .venv, which is made from what pyproject.toml and constraints.txt say. Needed: Python 3.11, make
# and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
READY := $(VENV)/.ready
# Microsoft's emulator of Azure's blobs, a program for Node.js.
AZURITE := .azurite
AZURITE_VERSION := 3.37.0
# Slow tests that do not wait for an Airflow.
COMPUTING := tests/slow/test_packaging.py tests/slow/test_every_video.py
# Those that share an Airflow with Celery, which is to end before the others need the processors.
CELERY := tests/slow/test_celery_stack.py tests/slow/test_two_triggerers.py
# For tests that start nothing larger than a web server.
SIDE_BY_SIDE := --numprocesses 3 --dist loadgroup
# For tests that mostly wait for an Airflow: two of them, each with the tests of some files. What kills an Airflow has the
# machine to itself, or shares it with what has the lowest priority.
TWO_AIRFLOWS := --numprocesses 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help azurite bench demo chaos screenshots services test test-slow test-ui test-unit properties lint format build clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## From nothing to a real MP4 through a real Airflow; LIVE=1 uses the real API and asks first
	$(BIN)/python -m tools.demo $(if $(LIVE),--live)

chaos: $(READY) $(if $(filter celery,$(STACK)),services) ## Kill a real Airflow while it makes N=40 videos, SEED=1, STACK=local or celery; count what was paid for and lost
	$(BIN)/python -m tools.chaos $(if $(N),--videos $(N)) $(if $(SEED),--seed $(SEED)) $(if $(STACK),--stack $(STACK)) $(if $(SABOTAGE),--sabotage $(SABOTAGE))

services: ## Install PostgreSQL, Redis and Chromium where they are missing, for the slow tests
	tools/install_services.sh

test: $(READY) ## Unit and integration tests
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/emulator
	$(BIN)/pytest $(TWO_AIRFLOWS) tests/integration

azurite: $(AZURITE)/$(AZURITE_VERSION) ## Install an emulator of Azure where it is missing, for the slow tests

test-slow: $(READY) azurite services ## UI, chaos, packaging, landing in object stores, and the demo as a newcomer runs it
	@mkdir -p .run
	tools/beside.sh \
	  "$(BIN)/pytest $(SIDE_BY_SIDE) --basetemp .run/beside tests/stores $(COMPUTING)" \
	  "$(BIN)/pytest $(TWO_AIRFLOWS) tests/ui && $(BIN)/pytest $(CELERY) && $(BIN)/pytest tests/slow $(patsubst %,--ignore %,$(COMPUTING) $(CELERY))"

test-ui: $(READY) services ## What people see in Airflow, through a real browser
	$(BIN)/pytest $(TWO_AIRFLOWS) tests/ui

screenshots: $(READY) services ## Take the pictures of README and guides anew
	SCREENSHOTS=docs/images $(BIN)/pytest tests/ui/test_videos_page.py tests/ui/test_connection_form.py

test-unit: $(READY) ## Unit tests only
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/emulator

properties: $(READY) ## Look for odd inputs and broken answers that do harm, in EXAMPLES=10000 each
	PROPERTY_EXAMPLES=$(or $(EXAMPLES),10000) $(BIN)/pytest tests/unit/api/test_properties.py

bench: $(READY) $(PEERS)/.ready services ## Measure against other providers, or only PART=waits, polls, slots, imports, landing or page; write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks --peers $(PEERS)/bin/python $(PART)

lint: $(READY) ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## Mend the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(READY) ## Wheel and sdist into dist/
	$(BIN)/python -m build --outdir dist .

clean: ## Remove everything that was made
	rm -rf $(VENV) $(PEERS) $(AZURITE) .run dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

# A venv that was not finished has no .ready, and is made anew.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(PEERS)/.ready: benchmarks/peers.txt constraints.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement benchmarks/peers.txt
	@touch $@

$(AZURITE)/$(AZURITE_VERSION): | $(READY)
	rm -rf $(AZURITE)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --silent --no-audit --no-fund --no-save --prefix $(AZURITE) azurite@$(AZURITE_VERSION)
	@touch $@
