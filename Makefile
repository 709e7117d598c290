# Copyright The Kelemetry Authors
# SPDX-License-Identifier: Apache-2.0
#
# Needs Go and git. Everything else is fetched as Go modules, but for the C compiler that the race detector wants.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

GO ?= go
TOOL := $(GO) tool -modfile=internal/tools/go.mod
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LDFLAGS := -s -w
# Without it grpc has pages made of html/template, and the linker keeps every method of every type: see internal/linked.
TAGS := grpcnotrace
EXAMPLES := $(wildcard config-examples/*.yaml)
COMPONENTS := $(wildcard receiver processor exporter extension connector)
# A number of executions, not a time: go test takes the end of a time for a failure now and then, on a busy machine.
FUZZTIME ?= 4000x
BENCH ?= .
INTO ?=
CONFIG ?= demo
RUN_ARGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## To use it

# Ctrl-C goes to the program alone, which has a process group of its own (set -m), so that make ends as it does: well.
.PHONY: run
run: build ## a recorded roll-out shown as a tree; or CONFIG=standalone for the cluster of KUBECONFIG. Ctrl-C ends it
ifeq ($(CONFIG),demo)
	@$(GO) build -o bin/demo ./integration/run
	@set -m; bin/demo $(RUN_ARGS); exit $$?
else
	@set -m; KELEMETRY_STATE=$${KELEMETRY_STATE:-.cache/$(CONFIG)/state} KELEMETRY_TRACES=$${KELEMETRY_TRACES:-.cache/$(CONFIG)/traces} \
		bin/kelemetry --config config-examples/$(CONFIG).yaml $(RUN_ARGS); exit $$?
endif

.PHONY: demo-cluster
demo-cluster: build ## a cluster with simulated nodes to play with, and Kelemetry wired to it. Ctrl-C ends both
	@$(GO) build -o bin/demo-cluster ./integration/democluster
	@set -m; bin/demo-cluster $(RUN_ARGS); exit $$?

.PHONY: build
build: build/.generated ## the distribution: bin/kelemetry
	cd build && CGO_ENABLED=0 $(GO) build -mod=mod -trimpath -tags $(TAGS) -ldflags='$(LDFLAGS)' -o ../bin/kelemetry .

# ocb writes the main package and resolves its modules, which depends on these files and not on any Go source.
build/.generated: builder-config.yaml go.mod internal/tools/go.mod
	$(TOOL) builder --skip-compilation --skip-strict-versioning=false --config builder-config.yaml
	@touch $@

.PHONY: validate
validate: build ## have bin/kelemetry check every file of config-examples
	@for config in $(EXAMPLES); do echo "bin/kelemetry validate --config $$config"; bin/kelemetry validate --config $$config; done

## To change it

.PHONY: test
test: test-unit test-fuzz test-integration ## everything that CI tests

# The race detector links with a C compiler.
.PHONY: compiler
compiler:
	@command -v gcc >/dev/null || { $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends gcc libc6-dev'; } \
		|| { echo 'there is no C compiler, which the race detector needs: install one' >&2; exit 1; }

.PHONY: test-unit
test-unit: compiler ## the tests that need nothing but Go, with the race detector
	$(GO) test -race ./...
	$(GO) test -C internal/jsonscan/compare ./...

.PHONY: test-fuzz
test-fuzz: ## each fuzz test for FUZZTIME (4000x)
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' internal $(COMPONENTS)); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$$(dirname $$file); \
		done; \
	done

.PHONY: servers
servers: ## build the servers that the integration tests run against, unless they are there
	$(GO) run ./integration/servers/build

.PHONY: test-integration
test-integration: build servers ## real control plane, real Jaeger, the built binary; builds all three the first time
	$(GO) test -tags integration -p 1 -timeout 50m ./integration/...

.PHONY: bench
bench: build ## one table of what everything costs, beside a loop that is always the same; BENCH=regexp picks rows, INTO=file writes it there
	$(GO) run ./integration/bench -bench '$(BENCH)' -into '$(INTO)'

.PHONY: lint
lint: ## linters, and whether the sources are formatted
	$(GO) vet -tags integration ./...
	$(GOLANGCI_LINT) run --allow-serial-runners ./...

.PHONY: fmt
fmt: ## format the sources
	$(GOLANGCI_LINT) fmt ./...

.PHONY: generate
generate: ## make generated files anew
	$(GO) generate ./...

# Compares the tree of all files before and after, so that it works with uncommitted changes too.
.PHONY: check-generated
check-generated: ## fail if make generate changes a file, or go.mod wants tidying
	$(GO) mod tidy -diff
	@tree() { GIT_INDEX_FILE=$$(mktemp -u) bash -c 'git add -A && git write-tree; rm -f "$$GIT_INDEX_FILE"'; }; \
	before=$$(tree); $(MAKE) --no-print-directory generate; after=$$(tree); \
	git diff --exit-code "$$before" "$$after" || { echo 'make generate changed files: commit what it made'; exit 1; }

.PHONY: record
record: build ## record integration/testdata/recording anew, on a real control plane
	$(GO) run ./integration/record

.PHONY: clean
clean: ## remove what was built
	rm -rf bin build
