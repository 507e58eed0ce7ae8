# `make` alone lists the goals. Another Python: make PYTHON=python3.12 workshop

PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# A Python that was asked for by name becomes the one of .venv; otherwise .venv keeps its own.
SETUP = HANDSON_GOAL=$@ $(PYTHON) tools/setup.py $(if $(filter file,$(origin PYTHON)),,--insist)
NOTEBOOKS ?= notebooks/ja notebooks/en
# What runs beside the tests is shown when it ends; a make from before 4.0 mixes it with theirs.
GROUPED := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Else each of the hundreds of processes that tests start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help lab workshop test test-full lint types tests mutants replay format editions refresh lock hub site clean distclean

help:  ## list the goals
	@echo "make GOAL [PYTHON=python3.12] [HANDSON_LANG=en]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

lab:  ## set up and open workspace/, your own notebooks, in JupyterLab: learners begin here
	@$(SETUP)
	@$(BIN)/handson lab

workshop:  ## set up, run all notebooks by themselves on the embedded AWS, show the five checks
	@$(SETUP)
	@HANDSON_HOME="$${HANDSON_HOME:-notebooks/.handson}" $(BIN)/handson run

hub:  ## JupyterHub for a class on this machine, in containers, until Ctrl-C (BASE=image, CLASS_AUTH=dummy)
	@$(SETUP)
	@$(BIN)/python tools/hub.py $(ARGS)

test:  ## set up, then lint, types, layering, all tests and the notebooks under nbval
	@$(SETUP)
	@$(MAKE) --no-print-directory --keep-going --jobs=3 $(GROUPED) tests replay lint types

# With pictures of the notebooks in both themes and widths, which only people look at.
test-full: export HANDSON_FULL := 1
test-full: export HANDSON_SCREENSHOTS ?= screenshots
test-full: test  ## make test with all that is asked for less often: the tests marked full, random examples, pictures

lint:  ## ruff, its format, and the layering of the wings
	@$(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types:  ## mypy --strict
	@$(SETUP)
	$(BIN)/mypy --strict

# Only replay needs nbval's plugin.  The + shows the progress at once in spite of GROUPED.
tests:  ## the tests (ARGS="-k network" and the like are passed on)
	@$(SETUP)
	+$(BIN)/pytest -p no:nbval --numprocesses=auto --dist=loadfile --no-loadscope-reorder $(ARGS)

replay:  ## replay the committed notebooks and compare (nbval), in a home folder of its own
	@$(SETUP)
	@$(MAKE) --no-print-directory --keep-going $(NOTEBOOKS:notebooks/%=replay-%)

mutants:  ## change the modules of tests/mutants.toml and see whether tests notice (ARGS="--seed 7")
	@$(SETUP)
	$(BIN)/python tools/mutants.py $(ARGS)

# The committed outputs hold with either engine; here the one that is always there is asked for, so
# that nobody's container engine has to fetch a base image. HANDSON_ENGINE=auto asks for the other.
replay-%: HANDSON_ENGINE ?= builtin
replay-%:
	@home=$$(mktemp -d) || exit 1; \
	export HANDSON_HOME="$$home" HANDSON_HAND_IN="$$home" HANDSON_LANG=$* \
		HANDSON_ENGINE=$(HANDSON_ENGINE) PYTEST_DISABLE_PLUGIN_AUTOLOAD=1; \
	trap '$(BIN)/handson emulator stop >/dev/null 2>&1; rm -rf "$$home"' EXIT; \
	trap 'exit 130' INT TERM; \
	$(BIN)/pytest -p nbval.plugin --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg notebooks/$*

site:  ## build the browser edition into site/, for any static host
	@$(SETUP)
	@$(BIN)/python tools/build_site.py

format:  ## let ruff format and mend what it can
	@$(SETUP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

editions:  ## bring the English notebooks in step with the Japanese, and list stale translations
	@$(SETUP)
	@$(BIN)/python tools/editions.py $(ARGS)

refresh:  ## run the notebooks and keep their outputs as the committed ones
	@$(SETUP)
	$(BIN)/python tools/refresh.py $(NOTEBOOKS)

LOCK = $(BIN)/uv pip compile --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	$(if $(UPGRADE),--upgrade)
LOCKED = $(LOCK) --universal --python-version 3.11
# For a lock on top of requirements.lock: developers' and that of the learner's image.  An entry that
# holds on some systems only may be needed on all by a tool, so it may be in both.
ON_TOP = --constraint requirements.lock \
	$$(sed -nE 's/^([A-Za-z0-9._-]+)[^ ]*==[^ ]+ \\$$/--no-emit-package \1/p' requirements.lock)

lock:  ## compute requirements.lock, those of deploy/ and tools/site/, and requirements-dev.lock anew (UPGRADE=1: newest versions)
	@$(SETUP)
	$(LOCKED) pyproject.toml --group build --output-file requirements.lock
	$(LOCKED) pyproject.toml --group dev --output-file requirements-dev.lock $(ON_TOP)
	$(LOCKED) deploy/requirements.in --output-file deploy/requirements.lock $(ON_TOP)
	$(LOCKED) deploy/hub/requirements.in --output-file deploy/hub/requirements.lock \
		--constraint requirements.lock --constraint deploy/requirements.lock
	$(LOCKED) tools/site/builder.in --output-file tools/site/builder.lock --no-annotate
	@versions=$$(mktemp) && trap 'rm -f "$$versions"' EXIT && \
	sed -nE '/^msgspec=/d; s/^([A-Za-z0-9._-]+==[^ ;]+).*/\1/p' requirements.lock >"$$versions" && \
	$(LOCK) tools/site/tab.in --output-file tools/site/tab.lock --no-annotate \
		--no-deps --python-version 3.14 --constraint "$$versions"

clean:  ## stop this checkout's embedded AWS, remove .venv and caches; keeps your work
	@for home in "$$HANDSON_HOME" workspace/.handson notebooks/.handson; do \
		if [ -x $(BIN)/handson ] && [ -d "$$home" ]; then HANDSON_HOME="$$home" $(BIN)/handson emulator stop; fi; \
	done; true
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} + 

distclean: clean  ## clean, and after a question also delete your work: workspace/ and notebooks/.handson
	@printf 'Delete workspace (your notebooks) and notebooks/.handson (journal, embedded AWS, pictures)? Type delete: '; \
	read answer; [ "$$answer" = delete ] && rm -rf workspace notebooks/.handson || echo 'Kept.'
