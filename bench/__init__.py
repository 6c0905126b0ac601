"""Measurements made by hand: ratios in one run, written to var/bench/<name>.json."""
