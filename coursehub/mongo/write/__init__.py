"""Inserts, updates and deletes."""
