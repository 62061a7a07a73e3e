# Every target sets up what it needs first; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
CLOUD_VENV := deployments/sandbox/.venv
TEMPEST_VENV := .fournines/tempest-venv
PYTHON ?= python3

.PHONY: help setup check test test-full test-fast hunt demo demo-full demo-down sim bench gen clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .fournines/packages.stamp $(VENV)/.stamp $(CLOUD_VENV)/.stamp ## Install everything: Debian packages and two virtual environments.

.fournines/packages.stamp: deployments/packages.txt deployments/install-packages.sh
	@mkdir -p .fournines
	@sh deployments/install-packages.sh
	@touch $@

$(VENV)/.stamp: pyproject.toml constraints.txt | .fournines/packages.stamp
	@echo "==> Fournines' own virtual environment (about 2 minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --upgrade pip
	@$(BIN)/python -m pip install -q --group dev -e . -c constraints.txt
	@touch $@

$(CLOUD_VENV)/.stamp: deployments/sandbox/pyproject.toml deployments/sandbox/constraints.txt | .fournines/packages.stamp
	@echo "==> OpenStack's virtual environment (about 2 minutes)"
	@$(PYTHON) -m venv $(CLOUD_VENV)
	@$(CLOUD_VENV)/bin/python -m pip install -q --upgrade pip
	@$(CLOUD_VENV)/bin/python -m pip install -q -e deployments/sandbox -c deployments/sandbox/constraints.txt
	@touch $@

$(TEMPEST_VENV)/.stamp: tests/sandbox/tempest/constraints.txt | .fournines/packages.stamp
	@echo "==> Tempest's virtual environment (about 1 minute)"
	@$(PYTHON) -m venv $(TEMPEST_VENV)
	@$(TEMPEST_VENV)/bin/python -m pip install -q --upgrade pip
	@$(TEMPEST_VENV)/bin/python -m pip install -q -r tests/sandbox/tempest/constraints.txt
	@touch $@

check: setup ## Format, lint, types, layers, generated files, promtool and amtool.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cd deployments/sandbox && ../../$(BIN)/ruff format --check . && ../../$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fournines generate --check
	$(BIN)/pytest -q -p no:randomly tests/tidy

# What needs no cloud shares the machine's cores; the embedded cloud has them to itself. A whole cloud on two cores meets time-outs that
# are nobody's fault: a failed test on it is told, and tried once more (-rR).
PYTEST_PURE := $(BIN)/python -m pytest -q -n auto --dist loadfile
PYTEST_CLOUD := $(BIN)/python -m pytest -q -p no:randomly -rsR --reruns 1 --reruns-delay 5

test: setup ## Everything that must hold: unit, laws, stories, contracts, the embedded OpenStack.
	$(PYTEST_PURE) -m "not sandbox and not bench and not full"
	$(PYTEST_CLOUD) -m "sandbox and not bench and not full" tests/sandbox tests/contract

test-full: setup $(TEMPEST_VENV)/.stamp ## What takes longer: proofs, baking, Tempest; CI runs it after `make test`.
	$(PYTEST_PURE) -m "full and not sandbox and not bench"
	@# Whole platforms fail over here while others boot: one try more.
	$(PYTEST_CLOUD) --reruns 2 -m "sandbox and full and not bench" tests/sandbox tests/contract

test-fast: $(VENV)/.stamp ## What needs neither root nor the embedded cloud.
	$(BIN)/python -m pytest -q -m "not sandbox and not bench and not prefect and not postgresql"

hunt: $(VENV)/.stamp ## Laws with thousands of examples nobody saw before; `make test` plays the same ones everywhere.
	$(BIN)/python -m pytest -q -n auto --hypothesis-profile hunt -m "not sandbox and not bench" tests/decide tests/unwind

demo: setup ## The whole story in a few minutes: deploy, load, break, heal, report.
	@$(BIN)/fournines demo

demo-full: setup ## A whole platform (database, bus, cache, batch) used, broken, restored; better on four cores (docs/stateful.md).
	@$(BIN)/fournines demo --full

demo-down: ## Stop everything `make demo` left running.
	@$(BIN)/fournines down

sim: $(VENV)/.stamp ## Everything goes wrong at once, under a virtual clock: SEEDS=n many (from FIRST=m on), SEED=n one of them with its story.
	@SIM_FIRST="$(FIRST)" SIM_SEEDS="$(or $(SEEDS),1000)" SIM_SEED="$(SEED)" $(BIN)/python -m pytest -q -s -p no:randomly tests/sim/test_simulation.py -k "$(if $(SEED),one_seed,seeds)"

# One of them alone: a bench, or a proof on the embedded cloud that may be one of CI's, too.
ONLY_ONE = $(wildcard $(foreach where,bench sandbox/proofs sandbox/services,tests/$(where)/test_$(ONLY).py))

bench: setup ## Figures as a table, as JSON and as a chart in bench-results/; ONLY=detection for one, FOURNINES_BENCH_SCALE=0.1 for a look.
	@[ -z "$(ONLY)" ] || [ -n "$(ONLY_ONE)" ] || { echo "there is no bench $(ONLY); docs/benches.md lists them"; exit 2; }
	$(BIN)/python -m pytest -q -p no:randomly $(if $(ONLY),-m "bench or full" $(ONLY_ONE),-m bench tests/bench tests/sandbox/proofs tests/sandbox/services)

gen: $(VENV)/.stamp ## Generate rules and dashboards anew.
	$(BIN)/fournines generate

clean: ## Stop everything and forget environments and state.
	@[ ! -x $(BIN)/fournines ] || $(BIN)/fournines down
	@[ ! -x $(BIN)/fournines ] || $(BIN)/fournines cloud reset --yes
	rm -rf $(VENV) $(CLOUD_VENV) .fournines
