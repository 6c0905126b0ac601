"""Backups: all of the database at one moment in one file, and back.

Public names: `register`, by which an app says what of its documents a backup treats in a way of its own.
The work is done by `taking.take` and `restoring.restore`, which the commands `backup` and `restore` call.

- `archive`: the file, and what is wrong with a damaged one;
- `contents`: which documents belong into a backup, and which a restore leaves as they are;
- `taking`: from the database to a file, at one moment, while everything runs;
- `staging`: from a file into collections beside the present ones;
- `keeping`: what the present database knows and a backup cannot: erasures, counters, the newer audit events;
- `restoring`: the order of it all, so that it may die anywhere and be run again.
"""

from coursehub.backup.registry import register

__all__ = ["register"]
