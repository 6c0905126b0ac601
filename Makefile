# The commands of a checkout. `make run` and `make test` are all that a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONDONTWRITEBYTECODE  # or every process compiles the project anew

.PHONY: run test check django-suite bench soak stack screenshots lock format clean

run: .venv/installed
	@python -m coursehub.development.run

test: .venv/installed
	@python -m pytest $(ARGS)

check: .venv/installed
	@python -m coursehub.development.all_checks

# Django's own tests on the engine: `make django-suite`, or LABELS="basic lookup", TRANSACTIONS=on, MINUTES=9.
# Labels that have a result for the engine as it is are not run again.
django-suite: .venv/installed
	@python -m coursehub.development.django_suite $(LABELS) --transactions=$(or $(TRANSACTIONS),off) --minutes=$(or $(MINUTES),60)

# Measurements: `make bench`, or `make bench ONLY=sandbox`; results in var/bench/.
bench: .venv/installed
	@python -m bench $(ONLY)

# Long runs that look for rare faults: `make soak ONLY=engine-differential RUNS=2000 SEED=1 MINUTES=9`; results in
# var/soak/. What MINUTES did not suffice for goes on with the next call.
soak: .venv/installed
	@ONLY=$(ONLY) RUNS=$(RUNS) SEED=$(SEED) MINUTES=$(MINUTES) python -m bench.soak

stack: .venv/installed
	@python -m bench.stack

screenshots: .venv/installed
	@python -m coursehub.development.browser
	@python -m pytest tests/journeys/test_screenshots.py --screenshots

# Compiled for every platform; --no-deps because Djongo's own bounds are overridden (pyproject.toml).
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements-dev.txt

format: .venv/installed
	ruff format .
	ruff check --fix .

.venv/installed: requirements-dev.txt
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache
