# The commands of the project. "make test" is what the README and CI run.

GO            ?= go
GOLANGCI_LINT  = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.8.0
FUZZTIME      ?= 20s
# A word for the shell, whatever is in it.
quoted         = '$(subst ','\'',$(1))'

# What the image says that it is.
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: build image test race lint selftest fuzz specs bench-netsim referee base-image matrix servers-page

build: ## the program, in bin/
	$(GO) build -o bin/ftpconform ./cmd/ftpconform

# Its own build: without HTTP/2, which Docker's socket does not speak, and without
# inlining, the program is a tenth smaller; it waits for servers most of the time.
image: ## the program alone as the image ftpconform:dev, and proof that it runs; VERSION=… is what it says that it is
	@mkdir -p bin/image
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -tags nethttpomithttp2 -gcflags=all=-l \
	  -ldflags "-s -w -X github.com/ftpconform/ftpconform/suites.Version=$(VERSION)" -o bin/image/ftpconform ./cmd/ftpconform
	docker build -q -t ftpconform:dev -f Dockerfile bin/image
	.ci/check-image ftpconform:dev

test: ## everything: units, fuzz seeds, suites through Ginkgo, the program, the fault matrix
	$(GO) vet ./...
	$(GO) test ./...
	$(GO) tool ginkgo -p --no-color --succinct --label-filter='!slow' ./suites
	$(GO) run ./cmd/ftpconform selftest

race: ## the tests under the race detector, without those that take minutes
	$(GO) test -race -short ./...

lint: ## style and layering; the linter is fetched, at a fixed version, by the Go module client
	$(GO) run $(GOLANGCI_LINT) run ./...

selftest: ## the fault x check matrix
	$(GO) run ./cmd/ftpconform selftest

specs: ## the suites alone, through Ginkgo, in parallel
	$(GO) tool ginkgo -p --no-color ./suites

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for t in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$t"; $(GO) test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) $$pkg; done; done

referee: ## our gateway with the helper "linux" against Linux itself; VECTORS=FILE replays recordings, SEED=N and CASES=N choose the scripts
	@$(GO) build -o bin/referee ./netsim/referee
	@bin/referee $(if $(VECTORS),-vectors $(call quoted,$(VECTORS))) $(if $(SEED),-seed $(call quoted,$(SEED))) $(if $(CASES),-cases $(call quoted,$(CASES)))

bench-netsim: ## the simulated network against its targets and, for root with ip, nft and ethtool, against the kernel
	$(GO) run ./netsim/bench

base-image: ## the image debian:bookworm-slim, where no registry can be reached (root, debootstrap)
	@sh servers/base.sh

matrix: build ## every server of the fleet, in containers, against its baseline; the records go to records/
	bin/ftpconform matrix --baselines baselines --records records

servers-page: build ## docs/servers.md, and the records that it is drawn from, anew from records/
	bin/ftpconform report trim records/*.json --into docs/records
	bin/ftpconform report page docs/records/*.json --baselines baselines --output docs/servers.md
