# All targets use the tools in .venv; the first target that needs it builds it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(VENV)/.packages
READY := $(VENV)/.ready
DEMO_ARGS ?=
ARGS ?= --help
TEST_ARGS ?=
BENCH_ARGS ?=
SOURCES := app.py stacks lambdas local demo benchmarks docs examples layers tests

.DEFAULT_GOAL := help
.PHONY: $(shell grep -ohE '^[a-z-]+:' $(MAKEFILE_LIST) | tr -d :)

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY)  ## Build the virtual environment

# `.ready` and `.packages` are written last: an interrupted build starts again.
$(PACKAGES): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; for example PYTHON=python3.13" >&2; exit 2; }
	@echo "Building $(VENV) (once, one to three minutes)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## Deploy into a local cloud, replay real bars with a nightly job after each day, write report.html
	@exec $(BIN)/python -m demo $(DEMO_ARGS)

trials: $(READY)  ## Kill, throttle, race, tamper and load at full size, and write docs/trials.md (five minutes)
	@exec $(BIN)/python -m tests.trials $(TEST_ARGS)

bench: $(READY)  ## Measure everything that has a goal or a peer, and write docs/benchmarks.md (half an hour)
	@exec $(BIN)/python -m benchmarks.bench $(BENCH_ARGS)

bench-quick: $(READY)  ## Take the counts of `make bench`, and fail if one misses a goal that it met (two minutes)
	@exec $(BIN)/python -m benchmarks.bench --quick

bench-calls: $(READY)  ## Count the calls of the product's own code per request (five seconds)
	@$(BIN)/python -m benchmarks.traced_calls

bench-decisions: $(READY)  ## Measure requests, units and time of logging a decision (a minute or two)
	@exec $(BIN)/python -m benchmarks.decisions

bench-archive: $(READY)  ## Measure how much of the archive a query reads (half a minute)
	@exec $(BIN)/python -m benchmarks.archive

bench-reads: $(READY)  ## Measure what queries of a hundred thousand decisions read (a minute)
	@exec $(BIN)/python -m benchmarks.reads

bench-memory: $(READY)  ## Measure storing and recalling memories (a minute)
	@exec $(BIN)/python -m benchmarks.memory

bench-recall: $(READY)  ## Measure what recall finds, how fast and at what cost, and write docs/recall.md (minutes)
	@exec $(BIN)/python -m benchmarks.recalled

bench-nightly: $(READY)  ## Measure time and memory of the nightly search (a minute)
	@exec $(BIN)/python -m benchmarks.nightly

bench-split: $(READY)  ## Measure learning from ten million decisions in parts
	@exec $(BIN)/python -m benchmarks.split_learning

bench-learning: $(READY)  ## Measure the error rates of learning, and write them into the docs (four minutes)
	@exec $(BIN)/python -m benchmarks.learning

bench-learned: $(READY)  ## Measure what learning states where the truth is known, and write docs/learned.md (three quarters of an hour)
	@exec $(BIN)/python -m benchmarks.learned

bench-experiments: $(READY)  ## Measure how often an experiment finds what memory adds, and what it does not (five minutes)
	@exec $(BIN)/python -m benchmarks.experiments

bench-uplift: $(READY)  ## Measure what advice earns where the truth is known, and write docs/does-memory-pay.md (minutes)
	@exec env OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.uplift

bench-trading: $(READY)  ## Measure searching a trading memory (five minutes)
	@exec $(BIN)/python -m benchmarks.trading

bench-backtest: $(READY)  ## Measure the time of a backtest (a minute or two)
	@exec $(BIN)/python -m benchmarks.backtest

bench-cost: $(READY)  ## Measure the inputs of the cost estimate, and write them into the package (two minutes)
	@exec $(BIN)/python -m benchmarks.cost

cost-page: synth  ## Write the computed parts of docs/cost.md
	@exec $(BIN)/python -m benchmarks.cost_page

local-up: $(READY)  ## Start the local cloud and deploy the stacks into it
	@exec $(BIN)/python -m local up

local-down: $(READY)  ## Stop the local cloud; its state is kept
	@exec $(BIN)/python -m local down

local-status: $(READY)  ## Show whether the local cloud runs, and its addresses
	@exec $(BIN)/python -m local status

local-reset: $(READY)  ## Delete the local cloud's state
	@exec $(BIN)/python -m local reset

synth: $(READY)  ## Synthesize the stacks for AWS into cdk.out
	@exec $(BIN)/python -m local.cdk synth --quiet

cdk: $(READY)  ## Run the pinned CDK: make cdk ARGS="deploy --all"
	@exec $(BIN)/python -m local.cdk $(ARGS)

protect: $(READY)  ## Protect a deployment from deletion, as `make cdk` does after each deployment
	@exec $(BIN)/python -m local.protection

test: $(READY)  ## Run every test
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(TEST_ARGS)

test-quick: $(READY)  ## Run the tests of the inner loop (under a minute)
	@$(BIN)/python -m pytest -n 2 -m "not slow and not local_cloud" tests/unit tests/contract $(TEST_ARGS)

conformance: $(READY)  ## Test the integrations on the real packages, and write the counts into docs/integrations.md (minutes)
	@$(BIN)/python -m tests.conformance $(TEST_ARGS)

installs: $(READY)  ## Install the wheel with each extra alone, and use it (many minutes)
	@$(BIN)/python -m tests.installs $(ARGS)

test-ui: $(READY)  ## Walk through the console with 100,000 decisions in Chromium, at three widths (minutes)
	@exec $(BIN)/python -m tests.console $(TEST_ARGS)

screenshots: $(READY)  ## Write the pictures of docs/console.md (needs Chromium)
	@exec $(BIN)/python -m tests.console.screenshots docs/images

# `test-quick` has the others of these.
test-functions: $(READY)  ## Run the slow tests of what the functions do: learning, archive, nightly job, layers
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow tests/unit/archive tests/unit/learning tests/unit/nightly tests/lambdas $(TEST_ARGS)

alarms: $(READY)  ## List every alarm and its runbook
	@$(BIN)/python -m stacks.alarm_list

layer-sizes: $(READY)  ## Show how large each function's layers are (fetches their wheels once)
	@$(BIN)/python -m stacks.layer_sizes

openapi: $(READY)  ## Write the HTTP API's document, docs/openapi.json
	@$(BIN)/python -m agent_memory.api.openapi docs/openapi.json

cli-page: $(READY)  ## Write the reference of the command line, docs/cli.md
	@$(BIN)/python -m agent_memory.cli.reference docs/cli.md

settings: $(READY)  ## Write docs/settings.md, and the tables of docs/data-retention.md and docs/security.md
	@$(BIN)/python -m stacks.settings_page docs/settings.md
	@$(BIN)/python -m stacks.retention_page docs/data-retention.md
	@$(BIN)/python -m tests.stacks.permission_table docs/security.md

bars-page: $(READY)  ## Write docs/bars.md from the reader of bars and its tests
	@$(BIN)/python -m tests.unit.trading_agents.bars.page docs/bars.md

promises: $(READY)  ## Write docs/promises.md from the tests of the design's promises
	@$(BIN)/python -m tests.design_promises.page docs/promises.md

api-docs: $(READY)  ## Write the reference of the Python interface into build/api-docs
	@$(BIN)/python docs/api_reference build/api-docs
	@echo "build/api-docs/index.html"

check: $(READY)  ## Check style, format, types and the direction of imports
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)  ## Format the code
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

# Needs uv (pip install uv). Universal locks: one file for every platform and Python from 3.11 on.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# The groups of third-party wheels that functions are built from (stacks/function_contents.py).
GROUPS := runtime http cache parquet arrow science
# What `cdk synth`, the local cloud and the demo use of the distribution.
RUNTIME_EXTRAS := --extra api --extra cli --extra client --extra report
lock:  ## Update the lock files (needs uv)
	$(LOCK) --extra all pyproject.toml requirements-dev.in -o requirements-dev.txt
	$(LOCK) -c requirements-dev.txt $(RUNTIME_EXTRAS) pyproject.toml requirements.in -o requirements.txt
	for group in $(GROUPS); do \
	  $(LOCK) -c requirements-dev.txt layers/$$group/requirements.in -o layers/$$group/requirements.txt || exit 1; \
	done
	$(LOCK) $(GROUPS:%=-c layers/%/requirements.txt) requirements-local.in -o requirements-local.txt

dist: $(READY)  ## Build the wheel into dist
	@rm -rf dist
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean:  ## Delete what was built; the local cloud's state is kept
	rm -rf .venv* .build build dist cdk.out node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
