# Everything a person types. `make demo` and `make test` are all a fresh machine needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ROOT   ?= nexome-demo
STATIC := src/nexome/web/static/manifest.json
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo install web test check types layers bench docs fuzz screenshots gallery lock wheel clean

help: ## what can be made here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: install ## install, simulate a population, scan 40 traits, import, and serve it on this machine
	$(BIN)/nexome demo $(ROOT) --serve

install: $(VENV)/installed $(STATIC)

$(VENV)/python: 
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Nexome needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python requirements/run.txt pyproject.toml
	@echo "Installing Nexome and its locked dependencies into $(VENV) …"
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/developer: $(VENV)/installed requirements/dev.txt
	@echo "Installing the developer's tools …"
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

web: $(STATIC) ## build the scripts and styles of the pages

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

$(STATIC): web/node_modules/.package-lock.json $(shell find web/src web/styles web/build.mjs 2>/dev/null)
	cd web && npm run --silent build

test: install $(VENV)/developer ## all tests (those that need R, plink2, Chromium or ../shared skip where it is absent)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: install $(VENV)/developer ## style, types, import directions, texts, tests of the web part
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run --silent check

bench: install $(VENV)/developer ## the association bench with its peers, at a size for a coffee break
	$(BIN)/nexome bench associations --features 200000 --traits 1000 --peers clickhouse,duckdb,parquet,tabix

docs: install $(VENV)/developer ## write the reference pages anew
	$(BIN)/python -m nexome.testing.reference docs/reference
	$(BIN)/python -m nexome.testing.inputs_page docs/formats/inputs.md

fuzz: install $(VENV)/developer ## fuzz the readers of foreign formats for a few minutes
	$(PIP) --require-hashes -r requirements/fuzz.txt
	$(BIN)/python tests/fuzz/formats.py --seconds 300

screenshots: install $(VENV)/developer ## the pictures that documents show, in both languages, into docs/images
	$(BIN)/python -m pytest tests/web/browser --screenshots docs/images

gallery: install $(VENV)/developer ## pictures of every kind of page, both languages, three widths, into build/gallery
	$(BIN)/python -m pytest tests/web/browser/test_gallery.py --gallery build/gallery

lock: ## resolve the dependencies anew and pin them with hashes
	for part in run dev fuzz; do $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe \
	  $$( [ $$part = dev ] && echo "--extra dev --extra bench --extra postgresql" ) $$( [ $$part = fuzz ] && echo "--extra fuzz" ) \
	  $$( [ $$part = run ] && echo "--build-deps-for wheel" || echo "--constraint requirements/run.txt" ) \
	  --output-file requirements/$$part.txt pyproject.toml; done

wheel: install $(VENV)/developer ## a wheel that holds the built pages
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove what was built, keep what was imported
	rm -rf build dist web/node_modules src/nexome/web/static $(VENV)
