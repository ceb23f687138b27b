# Two commands do everything: `make serve` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
# The address of another package index for torch and torchvision, such as the one of the CPU builds.
TORCH_INDEX ?=
# More options for pytest, such as `-W error`.
PYTEST_FLAGS ?=
# Where `make serve` listens.
PORT ?= 8000

# The theme announces the end of its support at every build; CONTRIBUTING says what follows.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help serve build check test outputs figure results bench audit lock clean
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# An environment knows the folder it was made for. One that came with a copied or moved checkout
# would run the code of the other folder, or nothing: it is made again.
STRANGE := $(shell grep -s '^command = ' .venv/pyvenv.cfg | grep -vF " $(CURDIR)/.venv")
ifneq ($(STRANGE),)
.PHONY: .venv/.stamp
endif

.venv/.stamp: requirements.lock pyproject.toml
	$(if $(STRANGE),rm -rf .venv)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(BIN)/pip install --quiet --index-url $(TORCH_INDEX) $$(grep -oE '^torch(vision)?==[0-9.]+' requirements.lock))
	$(BIN)/pip install --quiet $(if $(TORCH_INDEX),,--require-hashes) -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

serve: .venv/.stamp ## build, and serve at 127.0.0.1:8000 with live reload; PORT=8001 takes another port
	$(BIN)/mkdocs serve --dirty --no-strict --livereload --dev-addr 127.0.0.1:$(PORT)

build: .venv/.stamp ## write the site into site/
	$(BIN)/mkdocs build --clean

check: .venv/.stamp ## tell every mistake of a page: make check PAGE=knn; ALL=1 adds its tests, its figures and its lab
	@$(BIN)/python -m dlbook.press page $(PAGE) $(if $(ALL),--all)

test: .venv/.stamp ## lint, build strictly, run every test, every block and every check of the site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mkdocs build --clean
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal --doctest-modules --codeblocks $(PYTEST_FLAGS) tests src docs README.md

outputs: .venv/.stamp ## rewrite stale outputs and claims in the pages
	$(BIN)/python -m dlbook.press outputs

figure: .venv/.stamp ## draw one figure into .cache/preview: make figure NAME=knn.convergence
	$(BIN)/python -m dlbook.press figure $(NAME)

results: .venv/.stamp ## recompute every quick run and write docs/results/*.json
	for page in docs/chapters/*.md; do $(BIN)/python -m dlbook.runs $$(basename $$page .md) || exit 1; done

bench: .venv/.stamp ## measure the fast paths against their peers
	$(BIN)/python -m benchmarks

audit/node_modules: audit/package-lock.json
	cd audit && npm ci --silent --no-audit --no-fund
	touch $@

audit: .venv/.stamp audit/node_modules ## judge the site with Lighthouse, html-validate and EPUBCheck (needs Node.js, Java and Chromium)
	$(BIN)/python -m audit

lock: ## choose the newest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --upgrade --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url pyproject.toml --output-file requirements.lock
	rm -r .venv-lock

clean: ## delete what was made: the site and the caches, not .venv
	rm -rf site .cache .pytest_cache .ruff_cache .hypothesis
