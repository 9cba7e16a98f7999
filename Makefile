# Run "make" for a list of what this can do. Nothing here is needed to build or
# test the program: "go build ./cmd/wirelark" and "go test ./..." do that.

GO      ?= go
T       ?= 30s
TOOLS   ?= $(CURDIR)/.tools
LINT    := $(TOOLS)/golangci-lint-v2.15.0
FUMPT   := $(TOOLS)/gofumpt-v0.12.0
SYSTEMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.DEFAULT_GOAL := help
.PHONY: help build check test race lint vet fmt fmt-check fuzz soak cross interop bench benchmarks golden tools clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## ./wirelark
	CGO_ENABLED=0 $(GO) build -trimpath -o wirelark ./cmd/wirelark

check: fmt-check vet lint test ## what every commit must pass

test: ## all tests; no network, root or other programs needed
	$(GO) test ./...

race: ## all tests under the race detector
	$(GO) test -race -p 1 ./...

lint: $(LINT) ## the linters of .golangci.yml
	$(LINT) run ./...
	cd interop && $(LINT) run ./...
	cd bench && $(LINT) run ./...

vet: ## go vet, also of the nested modules
	$(GO) vet ./...
	$(GO) -C interop vet ./...
	$(GO) -C bench vet ./...

fmt: $(FUMPT) ## format all files
	$(FUMPT) -w .

fmt-check: $(FUMPT) ## fails when a file is not formatted or go.mod is not tidy
	@out=$$($(FUMPT) -l .); if [ -n "$$out" ]; then echo "not formatted (make fmt):"; echo "$$out"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) -C interop mod tidy -diff
	$(GO) -C bench mod tidy -diff

fuzz: ## every fuzz target for T=30s each, one after another
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(T) $$pkg; \
		done; \
	done

soak: ## ten minutes of connections that renew their keys every 64 KiB, under the race detector
	$(GO) test -race -count=1 -timeout 15m -run '^TestSoak$$' ./ssh/sshtest -soak 10m

cross: ## build and vet for every supported system, without cgo
	@set -e; for s in $(SYSTEMS); do \
		echo "== $$s"; \
		CGO_ENABLED=0 GOOS=$${s%/*} GOARCH=$${s#*/} $(GO) build -o /dev/null ./cmd/wirelark; \
		CGO_ENABLED=0 GOOS=$${s%/*} GOARCH=$${s#*/} $(GO) vet ./...; \
	done

interop: ## tests with real peers; skips those that are not installed and says so
	$(GO) -C interop test -count=1 -v ./...

bench: ## the same work by us and by others, into docs/bench.md
	$(GO) -C bench run . -o ../docs/bench.md

benchmarks: ## all benchmarks of the code, ten times, for benchstat
	$(GO) test -run '^$$' -bench . -count 10 ./...

golden: ## rewrite the golden files of all tests, then show what changed
	$(GO) test $$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/internal\/testkit/ { print $$1 }') -update
	$(GO) test ./internal/arch -run TestCoverage -update
	git diff --stat

tools: $(LINT) $(FUMPT) ## build the pinned tools into .tools

$(TOOLS)/golangci-lint-%:
	GOBIN=$(TOOLS) GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	mv $(TOOLS)/golangci-lint $@

$(TOOLS)/gofumpt-%:
	GOBIN=$(TOOLS) GOFLAGS= $(GO) install mvdan.cc/gofumpt@$*
	mv $(TOOLS)/gofumpt $@

clean: ## remove what was built here
	rm -rf $(TOOLS) wirelark wirelark.exe wirelark-demo.pcapng
