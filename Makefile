# Two commands do all the set-up: `make local` runs the chat here, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SITE := s3-website
NODE_WANTED := Node.js 18 or newer, with npm (https://nodejs.org; apt-get install npm; brew install node)

.DEFAULT_GOAL := help
.PHONY: help local shell test check lint python-lint other-lint format interrupted soak bench bench-peers lighthouse screenshot dist scan audit lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

local: $(VENV)/.local $(SITE)/node_modules/.runtime ## Run the chat here, without AWS (options: PORT=N, PUSH=1)
	@# Ctrl-C is the normal end; the shell ignores it so that make does not report an error
	@trap : INT; $(BIN)/python -m local up $(if $(PORT),--port=$(PORT)) $(if $(filter-out 0,$(PUSH)),--push) || [ $$? -eq 130 ]

shell: $(VENV)/.local $(SITE)/node_modules/.runtime ## Open a shell with kappa, where AWS is an emulator
	@# its last command's code is no failure of make
	@$(BIN)/python -m local run -- bash -c ' \
	    echo "A shell with kappa. \`exit\` ends it, and the emulated AWS account is lost." >&2; \
	    echo "Functions of Python run with $$(python -V), whatever runtime they name." >&2; \
	    bash; exit 0'

test: $(VENV)/.dev $(SITE)/node_modules/.dev ## Run the tests, with the browser; a sample of the longest
	$(BIN)/python -m tests

check: lint test ## Run what CI runs: format, lint, types, then every test

lint: $(VENV)/.dev $(SITE)/node_modules/.dev ## Check format, style and types
	@$(MAKE) --no-print-directory -j 2 python-lint other-lint

python-lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

other-lint:
	cd $(SITE) && npx --no-install tsc -p .
	$(BIN)/python resources.py cf | $(BIN)/cfn-lint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))

format: $(VENV)/.dev ## Format the Python sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

interrupted: $(VENV)/.dev $(SITE)/node_modules/.runtime ## Test commands stopped at each AWS call (over half an hour)
	TEST_CASES=all $(BIN)/python -m local run --quiet -- $(BIN)/pytest -n 4 tests/emulator/test_kappa_interrupted.py tests/emulator/test_kappa_at_once.py tests/emulator/test_chat_interrupted.py

soak: interrupted $(SITE)/node_modules/.dev ## Run interrupted, all tests, a long load (over an hour)
	TEST_CASES=all node --test tests/unit/page/consistent.test.js
	TEST_CASES=all $(BIN)/python -m local run --quiet -- $(BIN)/pytest -n 2 --dist loadfile tests/browser tests/emulator/test_faults_behind.py tests/emulator/test_local_mode.py
	$(BIN)/pytest tests/soak

bench: $(VENV)/.dev $(SITE)/node_modules/.runtime bench-peers ## Measure, print tables, write bench/results.md
	$(BIN)/python -m bench

bench-peers: $(VENV)/.dev ## Install the tools that kappa is compared with
	$(BIN)/python -m bench.peers

lighthouse: $(VENV)/.dev $(SITE)/node_modules/.runtime ## Run Lighthouse on the page in local mode
	$(BIN)/python -m tools.lighthouse

screenshot: $(VENV)/.dev $(SITE)/node_modules/.runtime ## Take docs/screenshot.png and docs/screens again
	$(BIN)/python -m local run --quiet -- $(BIN)/python -m docs.screenshots

dist: $(VENV)/.dev ## Build the wheel into dist
	rm -rf dist build/lib build/bdist.*
	$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .

scan: $(VENV)/.venv ## Scan the template with checkov
	@$(PYTHON) -m venv build/scan && build/scan/bin/pip install --quiet checkov==3.3.30
	build/scan/bin/checkov --config-file tests/data/stack/checkov.yml -f tests/data/stack/template.json

audit: $(VENV)/.venv ## Check installed packages for known vulnerabilities
	@$(PYTHON) -m venv build/audit && build/audit/bin/pip install --quiet pip-audit
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/dev.txt
	cd $(SITE) && npm audit

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows
	$(BIN)/python -m requirements.lock

clean: ## Remove everything that the set-up and the builds created
	rm -rf $(VENV) $(SITE)/node_modules build dist .local bench/.peers *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define check_node
	@command -v npm >/dev/null || { echo "Error: npm is missing: install $(NODE_WANTED)" >&2; exit 1; }
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || \
	  { echo "Error: this Node.js is too old or missing: install $(NODE_WANTED)" >&2; exit 1; }
endef

# Each stamp is newer than what it was made from, so a second run installs nothing. Node.js is
# looked for first of all, though the page needs it last: pip takes a minute.
$(VENV)/.venv:
	$(check_node)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Error: Python 3.11 or newer is needed: make PYTHON=python3.13 ..." >&2; exit 1; }
	@echo "==> making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Error: no venv module: install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.local: requirements/local.txt pyproject.toml | $(VENV)/.venv
	@echo "==> installing what local mode needs (once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@$(BIN)/python -m compileall -q kappa lambda_chat local *.py # what pip does for all but -e
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.venv
	@echo "==> installing what the tests need (once; about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@$(BIN)/python -m compileall -q kappa lambda_chat local *.py # what pip does for all but -e
	@touch $@ $(VENV)/.local

$(SITE)/node_modules/.runtime: $(SITE)/package-lock.json
	$(check_node)
	@echo "==> installing the page's library (once)"
	@cd $(SITE) && npm ci --omit=dev --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(SITE)/node_modules/.dev: $(SITE)/package-lock.json
	$(check_node)
	@echo "==> installing the page's library and type checker (once)"
	@cd $(SITE) && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@ $(SITE)/node_modules/.runtime
