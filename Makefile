# The few things one does with Vivavoce. Python 3.11 to 3.13 and make are all it takes; the work is in scripts/.
.PHONY: bench fuzz help setup run test lint format lock web conformance
.DEFAULT_GOAL := help

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with the locked versions
	@sh scripts/setup.sh

run: setup ## serve the page on http://127.0.0.1:7171 (options: make run ARGS="--port 8000")
	@.venv/bin/vivavoce serve $(ARGS)

test: ## check and test everything (a part: make test ARGS="tests/protocol -k turn")
	@sh scripts/setup.sh dev
	@sh scripts/test.sh $(ARGS)

lint: ## ruff, mypy and the import rules
	@sh scripts/setup.sh dev
	@sh scripts/check.sh

format: ## bring the Python code into shape
	@sh scripts/setup.sh dev
	@.venv/bin/ruff check --fix --quiet
	@.venv/bin/ruff format

lock: ## write the lock files anew (take the newest: make lock ARGS=--upgrade)
	@sh scripts/setup.sh dev
	@ARGS="$(ARGS)" sh scripts/lock.sh

web: ## build the front end from web/
	@sh scripts/setup.sh dev
	@.venv/bin/python scripts/tools.py web build

conformance: ## print the protocol row by row: which test holds it, what does not hold yet, what does not apply
	@sh scripts/setup.sh dev
	@.venv/bin/python scripts/conformance.py

bench: ## set the engine beside LiveKit, Pipecat and HF: delays, cost, memory (20 minutes; a part: make bench ARGS="--only turns")
	@sh scripts/setup.sh dev
	@.venv/bin/python -m bench.engine $(ARGS)

fuzz: ## throw 100,000 malformed frames at a live server (make fuzz ARGS="5000 7": how many, and a seed)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m tests.fuzz $(ARGS)
