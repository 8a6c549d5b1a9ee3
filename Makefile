# Everything runs in .venv, which is made from what pyproject.toml and constraints.txt say. Needed: Python 3.11, make
# and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
PEERS := .venv-peers
# The Airflow versions that are tested (docs/airflow-versions.md), and that of $(VENV), which is one of them.
AIRFLOW := 3.1.8 3.2.2 3.3.2 3.4.0b2 lowest
NEWEST := 3.3.2
READY := $(VENV)/.ready
# Microsoft's emulator of Azure's blobs, a program for Node.js.
AZURITE := .azurite
AZURITE_VERSION := 3.37.0
# Slow tests that do not wait for an Airflow.
COMPUTING := tests/slow/test_packaging.py tests/slow/test_installing.py tests/slow/test_every_video.py
# Unit tests that see nothing of Airflow, or for which its version makes no difference.
WITHOUT_AIRFLOW := $(addprefix tests/unit/,api benchmarks network waiting submission/model submission/test_plans.py \
  submission/test_submitter_signals.py test_imports.py test_reference.py triggers/test_poll_queue.py) $(wildcard tests/unit/tools_*)
# For tests that start nothing larger than a web server.
SIDE_BY_SIDE := --numprocesses 3 --dist loadgroup
# For tests that mostly wait for an Airflow: two of them, each with the tests of some files. What kills an Airflow has the
# machine to itself, or shares it with what has the lowest priority; with that, an Airflow would lose its heartbeats.
TWO_AIRFLOWS := --numprocesses 2 --dist loadfile

# What the version of Airflow can make a difference to; $(1) has the programs of an environment. With 3.3.2, other tests
# look at more of the same.
define on-airflow
$(if $(filter $*,$(REAL)),,$(1)/pytest $(SIDE_BY_SIDE) tests/unit $(if $(FULL),tests/emulator,$(addprefix --ignore ,$(WITHOUT_AIRFLOW))))
$(1)/pytest $(if $(FULL),$(TWO_AIRFLOWS),-m every_airflow) tests/integration
endef

.DEFAULT_GOAL := help
.PHONY: help demo format lint hooks docs screenshots test test-unit test-matrix test-ui test-slow test-long chaos properties coverage bench build audit services azurite freeze clean

##@ To try it (whatever you make first makes .venv, with PYTHON=python3)

# Below `##@` stand the targets of a kind, behind `##` what a target does, behind `#:` what can be set for it.
help: ## Show what can be made, and what can be set
	@awk '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { name = $$0; sub(/:.*/, "", name); sub(/.*## /, ""); printf "  make %-14s %s\n", name, $$0 } \
	  /^#: / { printf "%22s%s\n", "", substr($$0, 4) }' $(MAKEFILE_LIST)

demo: $(READY) ## From nothing to a real MP4 through a real Airflow and the emulator
#: LIVE=1          through the real API instead: it states the cost, and asks first
	$(BIN)/python -m tools.demo $(if $(LIVE),--live)

##@ To change it

format: $(READY) ## Fix the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: $(READY) ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

hooks: $(READY) ## Let git check style and types before each commit
	$(BIN)/pre-commit install

# Anew each time: what is wrong with a page is only said when the page is read.
docs: $(READY) ## Build the documentation into .run/docs; needs no network, and a warning is an error
	@rm -rf .run/docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet --builder html docs .run/docs

screenshots: $(READY) services ## Take the pictures of README and guides anew
	SCREENSHOTS=docs/images $(BIN)/pytest tests/ui/test_videos_page.py tests/ui/test_connection_form.py

##@ To test it

test: $(READY) ## Unit and integration tests, and every block of the documents
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/emulator
	@mkdir -p .run
	tools/beside.sh \
	  "$(BIN)/pytest --numprocesses 2 --dist loadgroup --basetemp .run/documents tests/docs" \
	  "$(BIN)/pytest $(TWO_AIRFLOWS) -m 'not every_airflow' tests/integration"

test-unit: $(READY) ## Unit tests only
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/emulator

test-matrix: $(AIRFLOW:%=test-airflow-%) ## What depends on Airflow, with each of the supported versions
#: AIRFLOW=3.1.8   only with these; "lowest" has the lowest versions of everything
#: FULL=1          all unit and integration tests, of which some need Airflow 3.3
#: REAL=3.2.2      of these versions, only what runs a real Airflow
test-airflow-%: $(READY) .venv-airflow-%/.ready
	$(call on-airflow,.venv-airflow-$*/bin)

test-airflow-$(NEWEST): $(READY)
	$(call on-airflow,$(BIN))

# All of the unit tests, because what the API and the emulator use is old here, too; Airflow itself is looked at above.
test-airflow-lowest: $(READY) .venv-airflow-lowest/.ready
	.venv-airflow-lowest/bin/pytest $(SIDE_BY_SIDE) tests/unit tests/emulator

test-ui: $(READY) services ## What people see in Airflow, through a real browser
	$(BIN)/pytest $(TWO_AIRFLOWS) tests/ui

test-slow: $(READY) azurite services ## UI, chaos, packaging, landing in object stores, and the demo as a newcomer runs it
	@mkdir -p .run
	tools/beside.sh \
	  "$(BIN)/pytest $(SIDE_BY_SIDE) -m 'not long' --basetemp .run/beside tests/stores $(COMPUTING)" \
	  "$(BIN)/pytest $(TWO_AIRFLOWS) tests/ui && $(BIN)/pytest -m 'not long' tests/slow $(patsubst %,--ignore %,$(COMPUTING))"

test-long: $(READY) services ## What takes minutes more, and is for a release, or for a change of what it tests
	$(BIN)/pytest -m long tests/slow

chaos: $(READY) $(if $(filter celery,$(STACK)),services) ## Kill a real Airflow while it makes videos; count what was paid for and lost
#: N=40            how many videos
#: SEED=1          decides what is killed when, and which answers are spoiled
#: STACK=local     LocalExecutor and SQLite, or celery: also PostgreSQL, Redis, and two of most components
#: SABOTAGE=       resend or forget: breaks the provider, so that the check has to fail
	$(BIN)/python -m tools.chaos $(if $(N),--videos $(N)) $(if $(SEED),--seed $(SEED)) $(if $(STACK),--stack $(STACK)) $(if $(SABOTAGE),--sabotage $(SABOTAGE))

properties: $(READY) ## Look for odd inputs and broken answers that do harm
#: EXAMPLES=10000  how many of each
	PROPERTY_EXAMPLES=$(or $(EXAMPLES),10000) $(BIN)/pytest tests/unit/api/test_properties.py

coverage: $(READY) ## Which lines and branches the unit tests run; fails under 95 %
	$(BIN)/pytest $(SIDE_BY_SIDE) --cov --cov-report term --cov-fail-under 95 tests/unit tests/emulator

##@ To measure it

bench: $(READY) $(PEERS)/.ready services ## Measure against other providers; write benchmarks/RESULTS.md
#: PART=           waits, polls, slots, imports, landing or page; all of them if empty
	$(BIN)/python -m benchmarks --peers $(PEERS)/bin/python $(PART)

##@ To release it

# The same sources make the same bytes, unless somebody sets another date for them.
build: $(READY) ## Wheel and sdist into dist/
	env -u SOURCE_DATE_EPOCH $(BIN)/python -m build --installer uv --outdir dist .

# Strict, because otherwise what can't be asked about is said to have no vulnerabilities.
audit: $(READY) ## Ask whether the pinned packages have known vulnerabilities; needs the internet, and fails without it
#: REQUIREMENTS=   the versions to ask about; constraints.txt if empty
	$(BIN)/uv tool run --quiet --constraints constraints.txt pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement $(or $(REQUIREMENTS),constraints.txt)

##@ On this machine

services: ## Install PostgreSQL, Redis and Chromium where they are missing, for the slow tests
	tools/install_services.sh

azurite: $(AZURITE)/$(AZURITE_VERSION) ## Install an emulator of Azure where it is missing, for the slow tests

clean: ## Remove everything that was made
	rm -rf $(VENV) $(PEERS) .venv-airflow-* $(AZURITE) .run .coverage mutants dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

# A venv that was not finished has no .ready, and is made anew. uv takes seconds where pip takes more than a minute, but
# does not know pip's settings, such as a mirror.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint constraints.txt --editable '.[dev]' \
	  || $(PIP) --editable '.[dev]'
	@touch $@

$(PEERS)/.ready: benchmarks/peers.txt constraints.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement benchmarks/peers.txt
	@touch $@

# Make would delete what it needed on its way only.
.PRECIOUS: .venv-airflow-%/.ready

.venv-airflow-%/.ready: constraints/airflow-%.txt pyproject.toml | $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --python $(@D) --no-deps --requirement $< --editable .
	@touch $@

# What each of those has is said in an .in file, and written down in full beside it, so that every machine has the same.
freeze: $(AIRFLOW:%=freeze-%) ## Write down anew which versions the other Airflows are tested with
#: AIRFLOW=3.1.8   only of these
freeze-lowest: EXTRAS := --extra emulator --extra s3 --resolution lowest-direct
freeze-%: EXTRAS := --extra dev
freeze-%: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 $(EXTRAS) --no-annotate --custom-compile-command 'make freeze' \
	  --output-file constraints/airflow-$*.txt pyproject.toml constraints/airflow-$*.in

$(AZURITE)/$(AZURITE_VERSION): | $(READY)
	rm -rf $(AZURITE)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --silent --no-audit --no-fund --no-save --prefix $(AZURITE) azurite@$(AZURITE_VERSION)
	@touch $@
