# The habits of this project. Everything runs in .venv, which is built from requirements.lock when first needed.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup lint format test unit integration dags e2e demo province bench crowds endurance country soak plausibility outlook indicators up down status lock wheel clean

help: ## list every habit
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; on Debian: apt-get install python3 python3-venv"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "Python lacks venv; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint ## the whole suite, with coverage
	@rm -f .coverage .coverage.*
	$(MAKE) --no-print-directory unit integration dags e2e COVER="--cov --cov-append --cov-report="
	$(BIN)/coverage report

unit: $(READY) ## tests of single functions, quick
	$(BIN)/pytest tests/unit -n 2 $(COVER)

integration: $(READY) ## tests against a real PostgreSQL, HTTP, SFTP
	$(BIN)/pytest tests/integration -n 2 $(COVER)

dags: $(READY) ## tests of the DAG files
	$(BIN)/pytest tests/dags $(COVER)

e2e: $(READY) ## tests through a running Airflow, and of the portal in a real browser
	$(BIN)/pytest tests/e2e $(COVER)

demo: $(READY) ## three days of one simulated city, through Airflow, to workbooks; KEEP=yes leaves it running
	$(BIN)/python -m local.demo $(if $(KEEP),--keep)

province: $(READY) ## three days and a month's end of all of Shandong, simulated, timed; writes docs/province.md
	$(BIN)/python -m local.province

bench: $(READY) ## the benchmark: one table of ratios, to the floor, to peers, to bare loops; writes docs/benchmarks.md
	$(BIN)/python -m bench
	$(BIN)/python -m bench.storm

crowds: $(READY) ## many people at the portal, two hosts at slow platforms: each writes a page of its own below docs/
	$(BIN)/python -m bench.portal
	$(BIN)/python -m bench.scale_out

soak: $(READY) ## two hours of runs while everything goes wrong; writes docs/soak.md; HOURS=0.25 is quicker
	$(BIN)/python -m bench.soak $(if $(HOURS),--hours $(HOURS))

endurance: $(READY) ## 36 months of the province beside one (half an hour, 45 GB in /var/tmp); writes docs/endurance.md
	$(BIN)/python -m bench.endurance

country: $(READY) ## a day of the country beside a day of the province; writes docs/country.md
	$(BIN)/python -m bench.country

plausibility: $(READY) ## what the rules of plausibility find and how often they are wrong; writes docs/plausibility.md
	$(BIN)/python -m bench.drawn.plausibility

indicators: $(READY) ## docs/indicators.md from the catalogue
	$(BIN)/python -m etl.indicators.page > docs/indicators.md

outlook: $(READY) ## how far estimates of incomplete totals and forecasts are off; writes docs/early-sight.md
	$(BIN)/python -m bench.drawn.outlook

up: $(READY) ## Airflow for people, on 127.0.0.1:8080
	$(BIN)/python -m local.stack up

down: $(READY) ## stop Airflow and the embedded PostgreSQL
	$(BIN)/python -m local.stack down

status: $(READY) ## what of Airflow runs
	$(BIN)/python -m local.stack status

lock: $(READY) ## resolve the dependencies anew into requirements.lock, and the peers' of the benchmark into theirs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --quiet -o requirements.lock
	$(BIN)/uv pip compile bench/peers/requirements.in --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --quiet -o bench/peers/requirements.lock

wheel: $(READY) ## build the wheel into dist/
	$(BIN)/hatchling build -t wheel

clean: ## remove .venv and what tools leave behind; var/ stays
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
