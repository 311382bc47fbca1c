# Everything a developer or CI runs. Each target installs what it needs, below target/ and node_modules/ only.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-builtin-rules

KAFKA := target/kafka/libs/.ready
LIBCHDB := services/clickhouse/node_modules/.ready
SPECS := tests/node_modules/.ready
PYTHON_CLIENT := target/clients/python/.ready
GO_CLIENT := target/clients/go/client
TOXIPROXY := target/toxiproxy/server
WEB_TOOLS := dashboards/web/node_modules/.ready
WEB := dashboards/web/dist/.ready
WEB_TESTS := tests/web/node_modules/.ready
PEERS := target/peers/.ready
JS_CLIENT := services/clickhouse/tests/clients/node_modules/.ready

.PHONY: build web test test-web test-long chaos yardstick lint demo bench bench-peers bench-growth bench-live bench-steady bench-parts bench-pages bench-alerts incidents bench-door boards notices tools clean

# The one binary, with the web application in it, and the ClickHouse engine that it loads.
build: tools $(LIBCHDB) $(WEB)
	cargo build --release --locked --workspace --bin ringtrace

# The whole suite, on real Kafka and the real ClickHouse engine. It builds the binary as well.
test: tools $(LIBCHDB) $(WEB) $(KAFKA) $(SPECS) $(PYTHON_CLIENT) $(GO_CLIENT) $(JS_CLIENT) $(TOXIPROXY)
	promtool test rules dashboards/prometheus/tests/*.yml
	cargo test --release --locked --workspace --no-fail-fast
	$(MAKE) test-web

# The web application: its unit tests, then what people do with it, in Chromium on a real `ringtrace up`.
test-web: build $(WEB_TESTS)
	npm test --prefix dashboards/web
	npm test --prefix tests/web

# The same with a hundred times the cases and rounds where chance decides: for a night, not for CI.
test-long: export RINGTRACE_LONG := 1
test-long: test

# Processes killed, connections cut and a disk filled under steady load, for RINGTRACE_CHAOS_MINUTES (20); RINGTRACE_SEED
# repeats the faults of a run. `make test` has three quarters of a minute of it.
chaos: export RINGTRACE_CHAOS_MINUTES ?= 20
chaos: build $(KAFKA) $(TOXIPROXY)
	cargo test --release --locked --workspace --test it -- --nocapture chaos::

# The clickhouse crate's own integration tests, against the embedded ClickHouse (services/clickhouse/README.md).
# The binary is the one that the tests use.
yardstick: tools $(LIBCHDB) $(WEB)
	cargo test --release --locked --workspace --no-run
	python3 services/clickhouse/tests/yardstick.py

# The web application alone, below dashboards/web/dist.
web: $(WEB)

# Format, lints as errors, licences and duplicates of the dependencies.
lint: tools $(WEB)
	cargo fmt --all --check
	test -z "$$(gofmt -l services/clickhouse/tests/clients/go)"
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	cargo build --release --locked --workspace --bin audit
	target/release/audit check

# Everything in one process tree with nothing configured. Ctrl-C stops it.
demo: build
	target/release/ringtrace up

# CPU seconds per million events, beside a bare consumer with and without a parser; RINGTRACE_BENCH_EVENTS (a million) of them,
# RINGTRACE_BENCH_ROUNDS (3) times.
bench: build $(KAFKA)
	cargo build --release --locked --workspace --bin bench
	target/release/bench

# The same, and what people would use instead (tests/bench/README.md): some minutes, and 230 MB to fetch.
bench-peers: build $(KAFKA) $(PEERS)
	cargo build --release --locked --workspace --bin bench
	target/release/bench --peers

# What the linker costs with more partitions, apps and calls at a time, and beside up to three million open legs.
bench-growth: build $(KAFKA)
	cargo build --release --locked --workspace --bin bench --bin bench-live
	for partitions in 1 6 16 64; do target/release/bench --only discard --partitions $$partitions || exit; done
	for apps in 1 30 300; do target/release/bench --only discard --apps $$apps || exit; done
	for rate in 20 200 2000 20000; do target/release/bench --only discard --calls-per-second $$rate || exit; done
	target/release/bench-live --rates --legs 0 --open 10000,100000,1000000,3000000

# How soon rows are visible at 1,000 and 20,000 events a second, how fast a backlog is caught up with by one linker and by two, what
# rows take on disk, what a million open legs take in memory, and the restart.
bench-live: build $(KAFKA)
	cargo build --release --locked --workspace --bin bench-live
	target/release/bench-live

# Whether the linker's memory stays as it is over an hour at 2,500 events a second, and how long pages of the dashboards wait meanwhile;
# then the same pages while two cores are busy with simulating and linking.
bench-steady: build $(KAFKA)
	cargo build --release --locked --workspace --bin bench-live
	target/release/bench-live --rates --backlog 0 --legs 0 --minutes 60 --steady-rate 2500
	target/release/bench-live --rates --backlog 0 --legs 0 --minutes 4 --steady-rate 30000

# What parse, fold, judgement and encoding cost, each by itself.
bench-parts: tools
	cargo bench --locked --workspace --bench parts

# How long each page of the dashboards waits with RINGTRACE_BENCH_LEGS (100 million) legs over 30 days: about half an hour to fill,
# in RINGTRACE_BENCH_DATA, where it stays, or else below target/, deleted by the next run of any test.
bench-pages: build
	cargo build --release --locked --workspace --bin bench-pages
	target/release/bench-pages

# How long it takes from a confirmed violation in Kafka to the page at a webhook, at default settings: some minutes.
bench-alerts: build $(KAFKA)
	cargo build --release --locked --workspace --bin bench-alerts
	target/release/bench-alerts

# What the shipped rules find of a simulated week with known incidents, how soon, and what they say that is not true: some minutes.
# RINGTRACE_SEED makes another week.
incidents:
	cargo build --release --locked --workspace --bin incidents
	target/release/incidents

# What HTTP adds to the embedded engine's C interface.
bench-door: build
	cargo build --release --locked --workspace --example door
	target/release/examples/door

# Writes Grafana's boards again, from dashboards/grafana/definitions.
boards:
	cargo build --release --locked --workspace --bin boards
	target/release/boards

# Writes THIRD-PARTY-NOTICES.md again.
notices:
	cargo build --release --locked --workspace --bin audit
	target/release/audit write

clean:
	rm -rf target dashboards/web/dist dashboards/web/node_modules services/clickhouse/node_modules services/clickhouse/tests/clients/node_modules tests/node_modules tests/web/node_modules

tools:
	@missing=""; \
	need() { command -v "$$1" >/dev/null || missing+=$$'\n'"  $$1: $$2"; }; \
	need cargo "Rust 1.95 or newer, https://rustup.rs"; \
	need cc "a C compiler, to build librdkafka: apt-get install build-essential"; \
	need pkg-config "apt-get install pkg-config"; \
	need java "JDK 17, to run Apache Kafka in tests: apt-get install openjdk-17-jdk-headless"; \
	need mvn "Maven 3.8, to fetch Apache Kafka: apt-get install maven"; \
	need python3 "Python 3.10 or newer with venv, to test with its ClickHouse client: apt-get install python3-venv"; \
	need go "Go 1.25 or newer, to test with its ClickHouse client and to build toxiproxy: https://go.dev"; \
	need prometheus-alertmanager "Alertmanager, to test with: apt-get install --no-install-recommends prometheus-alertmanager"; \
	need chromium "to test the web application: apt-get install --no-install-recommends chromium"; \
	need unshare "util-linux, to run tests: apt-get install util-linux"; \
	need promtool "to test Prometheus' rules: apt-get install --no-install-recommends prometheus"; \
	need npm "npm 10 or newer, to fetch the ClickHouse engine and to build the web application: apt-get install npm"; \
	if command -v pkg-config >/dev/null; then \
	  for library in openssl zlib; do pkg-config --exists $$library || missing+=$$'\n'"  $$library headers: apt-get install libssl-dev zlib1g-dev"; done; \
	fi; \
	if [ -n "$$missing" ]; then echo "missing on this machine:$$missing" >&2; exit 1; fi

$(LIBCHDB): services/clickhouse/package.json services/clickhouse/package-lock.json
	npm ci --prefix services/clickhouse --no-audit --no-fund
	touch $@

$(WEB_TOOLS): dashboards/web/package.json dashboards/web/package-lock.json
	npm ci --prefix dashboards/web --no-audit --no-fund
	touch $@

$(WEB): $(WEB_TOOLS) $(shell find dashboards/web/src dashboards/web/public -type f 2>/dev/null) $(wildcard dashboards/web/*.html dashboards/web/*.ts dashboards/web/*.json)
	npm run build --prefix dashboards/web
	touch $@

$(SPECS): tests/package.json tests/package-lock.json
	npm ci --prefix tests --no-audit --no-fund
	touch $@

$(WEB_TESTS): tests/web/package.json tests/web/package-lock.json
	npm ci --prefix tests/web --no-audit --no-fund
	touch $@

$(PYTHON_CLIENT): services/clickhouse/tests/clients/requirements.txt
	rm -rf $(@D) && python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

$(GO_CLIENT): $(wildcard services/clickhouse/tests/clients/go/*)
	mkdir -p $(@D)
	go build -C services/clickhouse/tests/clients/go -o $(CURDIR)/$@ .

$(TOXIPROXY): $(wildcard tests/toxiproxy/*)
	mkdir -p $(@D)
	go build -C tests/toxiproxy -o $(CURDIR)/$@ github.com/Shopify/toxiproxy/v2/cmd/server

$(JS_CLIENT): services/clickhouse/tests/clients/package.json services/clickhouse/tests/clients/package-lock.json
	npm ci --prefix $(<D) --no-audit --no-fund
	touch $@

$(PEERS): tests/bench/pom.xml $(shell find tests/bench/src -type f)
	@command -v javac >/dev/null || { echo "missing on this machine: javac: apt-get install openjdk-17-jdk-headless" >&2; exit 1; }
	rm -rf $(@D)
	mvn --batch-mode --quiet --file tests/bench/pom.xml compile
	touch $@

$(KAFKA): tests/kafka/pom.xml
	rm -rf $(@D) && mkdir -p $(@D)
	mvn --batch-mode --quiet --file tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	touch $@
