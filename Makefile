# The commands of this project; `make help` lists them. Everything runs from .venv, which `make setup` makes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python

# A lock is universal (Linux, macOS; Python 3.11 and newer) and names no index, so it installs from any mirror.
COMPILE := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# A server install as Django's own deploy check wants to see it; nothing is connected to.
DEPLOYED := PRELOVED_HOME=var/check PUBLIC_URL=https://preloved.example ENV_FILE=/dev/null \
	SECRET_KEY=$$(head -c 48 /dev/urandom | base64) \
	ENCRYPTION_KEYS=check:$$(head -c 32 /dev/urandom | base64) \
	BLIND_INDEX_KEYS=check:$$(head -c 32 /dev/urandom | base64) \
	PAYOUT_PROVIDER=adyen ADYEN_API_KEY=check ADYEN_BALANCE_ACCOUNT_ID=check ADYEN_HMAC_KEY=00 \
	PAYMENT_PROVIDER=stripe STRIPE_API_KEY=check STRIPE_WEBHOOK_SECRET=check \
	CARRIER_PROVIDER=sendcloud SENDCLOUD_PUBLIC_KEY=check SENDCLOUD_SECRET_KEY=check

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  Options:'
	@awk -F ' *## ' '/^#: / { sub(/^#: /, "", $$1); printf "  %-44s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

#: make demo ONCE=1  ## exit after the journey, status 0 or 1
#: make demo PHOTOS=folder  ## your own photos instead of the shipped ones
#: make demo PORT=8001, make run PORT=8001  ## another port than 8000
#: make test ARGS="tests/listings -k publish"  ## some tests only
#: make test TWICE=1  ## what touches the database on both databases, as CI does
#: make test DATABASE_URL=mysql://user:pw@host/db  ## on your own MySQL or MariaDB server
#: make bench BENCH=browse  ## one benchmark only
#: make setup PYTHON=python3.12  ## another interpreter; NO_UV=1 uses pip even where uv is installed

.PHONY: setup
setup: ## Make .venv with what the service needs (again only when a lock changed)
	@scripts/setup base

.PHONY: setup-dev
setup-dev: ## The same with the tools of test and check and the MySQL driver
	@scripts/setup dev

.PHONY: demo
demo: setup ## A seller's photos become listings that are bought, sent and paid, over HTTP; then keeps serving
	@$(PY) -m demo

.PHONY: run
run: setup ## Serve the API with a worker beside it, embedded default or as the environment says
	@$(PY) manage.py serve

.PHONY: test
test: setup-dev ## All tests, on SQLite and on a private MariaDB and Redis
	@scripts/debian-packages mariadb-server redis-server || true
	@$(if $(TWICE),TEST_TWICE=1) $(PY) -m tests.servers suite $(ARGS)

.PHONY: check
check: setup-dev lint ## Lint, types, import contracts, migrations, generated documents, deploy check
	$(PY) -m mypy
	$(PY) -c "from importlinter.cli import lint_imports_command as run; run()"
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py lifecycles --check
	@mkdir -p var/check
	$(PY) manage.py spectacular --validate --fail-on-warn --file var/check/openapi.yaml
	diff -u docs/api/openapi.yaml var/check/openapi.yaml || { echo 'Run make schema.'; exit 1; }
	@$(DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: lint
lint: setup-dev ## Style only (ruff)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

.PHONY: format
format: setup-dev ## Let ruff format and mend what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

.PHONY: schema
schema: setup-dev ## Generate docs/api/openapi.yaml and docs/lifecycles.md
	@mkdir -p docs/api
	$(PY) manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml
	$(PY) manage.py lifecycles --write

.PHONY: bench
bench: setup-dev ## Benchmarks, printing ratios to the bare database
	@$(PY) -m bench $(BENCH)

.PHONY: lock
lock: ## Compile requirements/ from pyproject.toml (needs uv); LOCK=--upgrade takes newer versions
	$(COMPILE) $(LOCK) -o requirements/base.txt
	$(COMPILE) $(LOCK) --extra server -c requirements/base.txt -o requirements/server.txt
	$(COMPILE) $(LOCK) --extra dev -c requirements/server.txt -o requirements/dev.txt

.PHONY: clean
clean: ## Remove .venv, caches and var/ (the embedded database and photos)
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
