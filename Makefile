PYTHON ?= python3

.PHONY: check lint types unit test fuzz bench bench-cluster

# ruff, mypy --strict and the fast tests: seconds.
check: lint types unit

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy

unit:
	$(PYTHON) -m pytest -q -n auto --dist loadfile tests/unit
	$(PYTHON) -m pytest -q -m "not builds" tests/fuzz

# Everything, with real Go builds and a real luigid: minutes.
test: check
	$(PYTHON) -m pytest -q tests

# Edit drawn programs again and again, and compare with go build from scratch after each edit.
SECONDS ?= 120
SEED ?= 1
JOBS ?= 2
fuzz:
	$(PYTHON) -m tests.fuzz --seconds $(SECONDS) --seed $(SEED) --jobs $(JOBS)

# The tables of benchmarks/RESULTS.md: an hour on two idle cores.
bench:
	$(PYTHON) benchmarks/builds.py cold:hello cold:sqlite cold:several cold:cmd/go cold:gopls cold:golangci-lint
	$(PYTHON) benchmarks/builds.py noop:hello noop:gopls luigi-noop:hello luigi-noop:gopls edit-body edit-api
	$(PYTHON) benchmarks/scheduling.py

# Those on several hosts: as root, four hours.
bench-cluster:
	$(PYTHON) benchmarks/cluster.py nats-server --go-build
	$(PYTHON) benchmarks/cluster.py caddy --go-build
	$(PYTHON) benchmarks/cluster.py hello --go-build
	$(PYTHON) benchmarks/cluster.py gopls --go-build
	$(PYTHON) benchmarks/cluster.py golangci-lint --go-build
	$(PYTHON) benchmarks/cluster.py hello --nodes 1 --share 1 --go-build
	$(PYTHON) benchmarks/cluster.py gopls --nodes 1 --share 1 --go-build
	$(PYTHON) benchmarks/cluster.py hello --nodes 1 --share 1 --delay 2
	$(PYTHON) benchmarks/cluster_scheduling.py --tasks 300 3000 10000 --workers 1 8 32
	$(PYTHON) benchmarks/cluster_scheduling.py --work true --ninja --hyperqueue --stock --memory
	$(PYTHON) benchmarks/cluster_losses.py
	$(PYTHON) benchmarks/cluster_up.py
