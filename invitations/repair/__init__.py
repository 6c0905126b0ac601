"""Rows put right by people: one, all rows like it, left out and taken back. The uploaded bytes stay as they were."""
