"""What tests and measurements share: the stage (mongod, web, workers), makers of data, and what looks at the result."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
