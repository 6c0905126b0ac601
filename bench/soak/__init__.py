"""Long runs that look for rare faults: `make soak [ONLY=name RUNS=n SEED=n MINUTES=9]`.

A soak is a module of this folder with a `PLAN`, run as `python -m bench.soak.<name> SEED RUNS`: one step of it, in a
process and on a mongod of its own, which ends by printing what it found (`tests.support.findings.report`).
"""
