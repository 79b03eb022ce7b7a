# Two commands matter: `make demo` and `make test`. Both do all the set-up they need.

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
BENCH ?= reaction
FUZZ ?= xml
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-deep lint types contracts unit bench conformance mutants fuzz \
  traceability pictures lock format clean

help:
	@echo "make demo        a home, a utility and the page, on this machine"
	@echo "make test        every check, in about half an hour"
	@echo "make test-deep   the long ones: before a release"
	@echo "make conformance [ARGS='--profile csip']  the certifier's scenarios, PICS, evidence"
	@echo "make bench BENCH=reaction|footprint|codec|devices|loss [ARGS=...]"
	@echo "           BENCH=plan-value|plan-speed|tracking|regulation|programs|web"
	@echo "make mutants     do the tests notice a changed event rule?  make fuzz FUZZ=xml|modbus|ocpp|mqtt|p1"
	@echo "make traceability  writes docs/traceability.md from the tests' marks"
	@echo "make pictures    takes the README's pictures from the running demo"
	@echo "make format | lock | clean"

demo: .venv/.ready web/static/index.html
	@exec $(PY) -m hems demo $(ARGS)

test: lint types contracts unit

test-deep: .venv/.ready web/static/index.html chromium mosquitto
	$(PY) -m pytest -m "deep or not deep" --timeout=3600 --hypothesis-profile=search

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

contracts: .venv/.ready
	$(BIN)/lint-imports

# The end-to-end tests are judged by their timing, so no other suite runs beside them.
ASIDE := tests/e2e tests/conformance

# Real sockets, processes and clocks beside each other on a busy machine: what failed there is run
# once more with the machine to itself, and said. What fails twice fails. A test named here has
# found something all the same: a fault that needs a busy machine, or a wait that is too short.
suite = $(PY) -m pytest -m "not deep" $(1) || { test $$? = 1 && \
  echo "=== ONCE MORE, ALONE: what failed above ===" && \
  $(PY) -m pytest -m "not deep" $(filter-out -n 2 3 --dist load loadfile,$(1)) --last-failed; }

unit: .venv/.ready web/static/index.html chromium mosquitto
	$(call suite,-n 3 --dist loadfile $(addprefix --ignore=,$(ASIDE)))
	$(call suite,-n 2 --dist loadfile tests/conformance)
	$(call suite,-n 2 --dist load tests/e2e)
	cd web/app && ../../packaging/npm run test

bench: .venv/.ready
	@$(PY) -m tests.benchmarks.$(subst -,_,$(BENCH)) $(ARGS)

conformance: .venv/.ready
	$(PY) -m tests.conformance $(ARGS)

mutants: .venv/.ready
	$(PY) -m tests.mutation $(ARGS)

fuzz: .venv/.ready
	$(PY) -m tests.fuzz.fuzz_$(FUZZ) $(ARGS)

traceability: .venv/.ready web/static/index.html chromium mosquitto
	$(PY) -m pytest -q -m "not deep" --traceability docs/traceability.md

pictures: .venv/.ready web/static/index.html chromium
	$(PY) -m tests.e2e.pictures

format: .venv/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/.ready
	$(BIN)/pip-compile --extra dev --generate-hashes --allow-unsafe --strip-extras --upgrade \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --output-file requirements.lock pyproject.toml

# The private environment, with exactly the versions of the lock file.
.venv/.ready: requirements.lock pyproject.toml
	@packaging/environment $(PYTHON)

web/static/index.html: .venv/.ready $(shell find web/app -path web/app/node_modules -prune -o -type f -print 2>/dev/null)
	cd web/app && ../../packaging/npm ci --no-audit --no-fund
	cd web/app && ../../packaging/npm run build
	@touch $@

# The page's view of the API, from the hub's own description of it; a test says when it is old.
.PHONY: page-types
page-types: .venv/.ready
	$(PY) -m tests.web.schema

.PHONY: chromium mosquitto
chromium mosquitto:
	@packaging/$@

clean:
	rm -rf .venv web/static web/app/node_modules build dist test-results *.egg-info
