# make check   the main job: judge the embedded server and write report/index.html
# make test    every test
# make help    the rest

FUZZTIME ?= 10s
REDIS     = redis-server --port {port} --save '' --enable-debug-command yes

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: check
check: ## judge the embedded server: suite, histories, report/index.html
	go run ./check/cmd/rondo-check run

.PHONY: test
test: ## all tests, of the module and of the interop module beside it: less than five minutes
	$(MAKE) --no-print-directory -j2 -Otarget test-module test-interop

# Tests that say so run beside others, four at once, since they mostly wait. Vetting is for lint.
TEST = go test -timeout 30m -parallel 4 -vet=off

.PHONY: test-module test-interop
test-module:
	$(TEST) ./...

test-interop: # which mostly waits
	cd check/interop && $(TEST) ./...

.PHONY: agree
agree: ## the judge against the definition on as many random histories as rare errors need: ten minutes of processor time
	go test ./check/linear -timeout 30m -histories 200000

.PHONY: build
build: ## bin/rondo-server and bin/rondo-check
	go build -o bin/ ./impl/cmd/rondo-server ./check/cmd/rondo-check

.PHONY: profile
profile: ## measure anew which code is hot, for the compiler: impl/cmd/rondo-server/default.pgo
	go test ./impl -run '^$$' -bench '^BenchmarkTurn$$' -benchtime 5s -o bin/impl.test \
		-cpuprofile impl/cmd/rondo-server/default.pgo

.PHONY: install
install: ## both programs into GOBIN
	go install ./impl/cmd/rondo-server ./check/cmd/rondo-check

.PHONY: deps
deps: ## modules, and redis-server, redis-tools, chromium and spin where the system lets us
	go mod download
	cd check/interop && go mod download
	@missing=; has() { command -v "$$1" >/dev/null; }; \
	has redis-server && has redis-cli && has redis-benchmark || missing="redis-server redis-tools"; \
	has chromium || has chromium-browser || has google-chrome || missing="$$missing chromium"; \
	has spin && has gcc || missing="$$missing spin gcc libc6-dev"; \
	if [ -z "$$missing" ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get -qq update && apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	else echo "missing, and cannot be installed here: $$missing. What needs them is reported as skipped"; fi

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt -w" $$files; exit 1; }
	go vet ./... && go vet -tags debug ./impl/...
	cd check/interop && go vet ./... && go build -o ../../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...

.PHONY: cross
cross: ## build and vet for the systems with kqueue, and for arm64
	GOOS=darwin go vet ./impl/... && GOOS=freebsd go vet ./impl/... && GOARCH=arm64 go vet ./impl/...
	GOOS=darwin go build -o /dev/null ./impl/cmd/rondo-server
	GOOS=freebsd go build -o /dev/null ./impl/cmd/rondo-server

.PHONY: race
race: ## the server with its checks of refs, and all that has goroutines under the race detector
	go test -tags debug -short ./impl/... # each ref into the keyspace is checked when it is used
	go test -race -short ./impl/... ./check/wire ./check/target ./check/script ./check/workload ./check/mutant

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME, and a table; first which code their seeds reach
	go run ./fuzz/run -reach
	go run ./fuzz/run -time $(FUZZTIME) $(FUZZFLAGS)

.PHONY: backends
backends: build ## the suite and the histories on every poller of this system
	@for backend in epoll poll select; do echo "== $$backend"; \
		bin/rondo-check run -report report/$$backend -exec "bin/rondo-server -addr 127.0.0.1:{port} \
		-event-backend $$backend -enable-debug-command yes -unixsocket {dir}/rondo.sock" || exit 1; done

.PHONY: redis
redis: build ## judge redis-server 7.0
	bin/rondo-check run -report report/redis -exec "$(REDIS)"

.PHONY: matrix
matrix: build ## Rondo, redis-server and miniredis side by side: report/matrix/index.html
	cd check/interop && go build -o ../../bin/ ./cmd/miniredis-server
	bin/rondo-check run -seed 1 -report report/matrix -target rondo=embedded -target redis="exec:$(REDIS)" \
		-target miniredis="exec:bin/miniredis-server -addr 127.0.0.1:{port}" || test $$? = 1 # miniredis breaks clauses

.PHONY: redis-often
redis-often: build ## ten runs against redis-server with ten seeds: none may be convicted
	@for seed in 1 2 3 4 5 6 7 8 9 10; do echo "== seed $$seed"; \
		bin/rondo-check run -report report/redis -seed $$seed -exec "$(REDIS)" || exit 1; done

.PHONY: explore
explore: ## every schedule of the small worlds in fuzz/small, to the end: a table; three minutes of processor time
	go test ./fuzz/small -run 'Framing|Interference|Time|Transactions|Waiting|Ends' -count 1 -v -timeout 60m -all

.PHONY: mutants
mutants: build ## every seeded fault must be found: by the judge, and in the reactor by its own tests
	bin/rondo-check mutants
	bin/rondo-check mutants -reactor .
	go test ./fuzz -run "^(TestSchedulesShrink|TestTargetsConvict)$$" -shrinks -v # how small their schedules become; and fuzz targets

.PHONY: formal
formal: ## the model of the loop in spec/formal, and its faults, by spin: about two minutes
	@command -v spin >/dev/null && command -v gcc >/dev/null || $(MAKE) --no-print-directory deps
	@if command -v spin >/dev/null && command -v gcc >/dev/null; then go run ./spec/formal/cmd/formal; \
	else echo "skipped: the models of spec/formal, which need spin and gcc"; fi

.PHONY: traces
traces: ## the server does what two models do, and the models what the server does: 1000 and 200 runs of each
	@command -v spin >/dev/null && command -v gcc >/dev/null || $(MAKE) --no-print-directory deps
	go test ./fuzz/trace -count 1 -timeout 20m -v -acted 1000 -followed 200 -faults

.PHONY: bench
bench: build ## the server beside redis-server: processor time per request, memory, latencies, targets
	bin/rondo-check bench

.PHONY: sampled
sampled: build ## the chapters of data and time on a server that finds expired keys as Redis does
	bin/rondo-check run 'data/*' 'time/*' -report report/sampled -exec "bin/rondo-server -addr 127.0.0.1:{port} \
		-active-expiry sampled -enable-debug-command yes"

.PHONY: evict
evict: build ## which keys a full server loses, beside redis-server: report/evict/index.html
	bin/rondo-check evict

.PHONY: rhythm
rhythm: build ## how long others wait while the server, and redis-server, do long work: report/rhythm/index.html
	bin/rondo-check rhythm

.PHONY: faults
faults: build ## slow, greedy, stopped and crowding clients, no descriptors, a bad line: what others see, of redis-server too
	bin/rondo-check faults
	! command -v redis-server >/dev/null || bin/rondo-check faults -wait 30s -exec "$(REDIS)"

.PHONY: outside
outside: ## build a module outside that uses the packages through a replace
	cd check/interop/outside && go vet ./... && go run . && go test ./...

.PHONY: clean
clean: ## what the targets above made
	rm -rf bin report
