# Two commands matter: `make demo` and `make test`. Both do all the set-up they need.

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
BENCH ?= reaction
FUZZ ?= xml
ARGS ?=

# Hundreds of processes are started here. Where Python is told not to keep what it compiled, each
# would compile the whole project anew: twice the time of a start, three times that of collecting.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-deep lint types contracts audit unit bench conformance mutants fuzz \
  traceability sbom pictures lock format clean

help:
	@echo "make demo        a home, a utility and the page, on this machine"
	@echo "make test        every check, in about half an hour on two cores"
	@echo "make test-deep   what it leaves out, and new examples for every property: half an hour more"
	@echo "make conformance [ARGS='--profile csip']  the certifier's scenarios, PICS, evidence"
	@echo "           ARGS='--server headend --client py20305'  with our head-end, another's client"
	@echo "make bench BENCH=reaction|footprint|codec|devices|loss [ARGS=...]"
	@echo "           BENCH=plan-value|plan-speed|tracking|regulation|programs|web|security|headend|store"
	@echo "make endure      a simulated week with events, faults and upgrades  [ARGS='--days 1']"
	@echo "make lighthouse  what Lighthouse says of the page's views"
	@echo "make crash       a hub killed and its power cut at random  [ARGS='--points 200 --seed 1']"
	@echo "make mutants     do the tests notice a changed event rule?"
	@echo "make fuzz FUZZ=xml|modbus|ocpp|mqtt|p1|est|api|... [ARGS='--seconds 3600'] (FUZZ= names all)"
	@echo "make security    attacks of all kinds on the whole line  [ARGS='--only web --report FILE']"
	@echo "make audit       bandit, and known vulnerabilities of parts  make sbom | risks | scale"
	@echo "make docs        the documents as a site: build/site/index.html"
	@echo "make pages       writes docs of settings, commands, devices and programmes from the code"
	@echo "make traceability  writes docs/traceability.md from the tests' marks"
	@echo "make pictures    writes docs/images anew, from a fixed house"
	@echo "make packages [ARGS=bookworm]  Debian packages, wheel, list of parts and sums, into dist/"
	@echo "make fresh [ARGS=all]  the README's two commands in a clean Debian"
	@echo "make format | lock | clean"

demo: .venv/.ready web/static/index.html
	@exec $(PY) -m hems demo $(ARGS)

test: lint types contracts audit unit

# What `make test` leaves out, and all properties, looking for new examples.
DEEP := --timeout=3600 --hypothesis-profile=search

test-deep: .venv/.ready web/static/index.html chromium mosquitto keystores nftables postgresql nats-server nginx timekeepers debootstrap
	$(call suite,"deep or hypothesis",$(addprefix --ignore=,$(ASIDE)) $(DEEP),3,--dist worksteal)
	$(call suite,deep,$(ASIDE) $(DEEP),2,$(BY_FILE))

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

contracts: .venv/.ready
	$(BIN)/lint-imports

# The end-to-end tests are judged by their timing, so no other suite runs beside them.
ASIDE := tests/e2e tests/conformance

# Out of reach of the source of advisories this goes by what is kept, says so, and does not fail.
audit: .venv/.ready
	@$(PY) -m tests.supply.audit $(ARGS)

# Writes build/hems-VERSION.cdx.json, docs/security/sbom.md and docs/security/adopted.json.
sbom: .venv/.ready
	@$(PY) -m tests.supply.sbom

# Writes docs/security/risks.md from risks.toml.
.PHONY: risks
risks: .venv/.ready
	@$(PY) -m tests.papers.risks

# Writes the tables of docs/scale.md from docs/figures/headend.json.
.PHONY: scale
scale: .venv/.ready
	@$(PY) -m tests.papers.scale

# The documents' pages that are made from the code: settings, commands, devices, programmes.
.PHONY: pages
pages: .venv/.ready
	@$(PY) -m tests.papers.settings_pages
	@$(PY) -m tests.papers.commands_page
	@$(PY) -m tests.papers.map_pages
	@$(PY) -m programs.page > docs/.programmes.md && mv docs/.programmes.md docs/programmes.md

# The documents as a site, in build/site.
.PHONY: docs
docs: .venv/.ready
	@PYTHONPATH=. $(BIN)/mkdocs build --strict --quiet && echo build/site/index.html

# Files whole, so that what they share is made once; the longest first (tests/order.py).
BY_FILE := --dist loadfile --no-loadscope-reorder
BY_TEST := --dist load --maxschedchunk=1

# Real sockets, processes and clocks beside each other on a busy machine: what failed there is run
# once more with the machine to itself, and said. What fails twice fails. A test named here has
# found something all the same: a fault that needs a busy machine, or a wait that is too short.
# $(call suite,which marks,what,how many at once,how dealt out)
suite = $(PY) -m pytest -m $(1) $(2) -n $(3) $(4) || { test $$? = 1 && \
  echo "=== ONCE MORE, ALONE: what failed above ===" && \
  $(PY) -m pytest -m $(1) $(2) --last-failed --last-failed-no-failures none; }

unit: .venv/.ready web/static/index.html chromium mosquitto keystores nftables postgresql nats-server nginx timekeepers debootstrap
	$(call suite,"not deep",$(addprefix --ignore=,$(ASIDE)),4,$(BY_FILE))
	$(call suite,"not deep",tests/conformance,4,$(BY_FILE))
	$(call suite,"not deep",tests/e2e,4,$(BY_TEST))
	cd web/app && ../../packaging/npm run test

bench: .venv/.ready
	@$(PY) -m tests.benchmarks.$(subst -,_,$(BENCH)) $(ARGS)

# A week of the home on virtual time; the last line is its figures.
.PHONY: endure
endure: .venv/.ready
	@$(PY) -m tests.endure $(ARGS)

# Lighthouse has a folder and a lock file of its own: the page is built without it.
.PHONY: lighthouse
lighthouse: .venv/.ready web/static/index.html chromium
	@$(PY) -m tests.benchmarks.lighthouse $(ARGS)

conformance: .venv/.ready
	$(PY) -m tests.conformance $(ARGS)

# Every attack with the defence's answer and the log entry that it left.
.PHONY: security
security: .venv/.ready web/static/index.html chromium keystores
	$(PY) -m tests.security $(ARGS)

# A real hub, killed at random instants, the power of its disk cut with it (needs root): 20 minutes.
.PHONY: crash
crash: .venv/.ready
	@$(PY) -m tests.crash $(ARGS)

mutants: .venv/.ready
	$(PY) -m tests.mutation $(ARGS)

fuzz: .venv/.ready
	$(PY) -m tests.fuzz $(FUZZ) $(ARGS)

traceability: .venv/.ready web/static/index.html chromium mosquitto keystores nftables postgresql nats-server nginx
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

.PHONY: chromium mosquitto keystores nftables postgresql nats-server nginx timekeepers debootstrap
chromium mosquitto keystores nftables postgresql nats-server nginx timekeepers debootstrap: .venv/.ready
	@packaging/$@

# As root: clean roots of Debian are made for them (kept under build/roots).
.PHONY: packages fresh
packages: .venv/.ready web/static/index.html debootstrap
	@packaging/packages $(ARGS)

fresh:
	@packaging/fresh $(ARGS)

clean:
	rm -rf .venv web/static web/console-static web/app/node_modules build dist test-results *.egg-info
