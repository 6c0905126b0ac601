"""Backups: all of the database at one moment in one file, and back.

Public names: `register`, by which an app says what of its documents a backup treats in a way of its own.
The work is done by `dump.take` and `restore.restore`, which the commands `backup` and `restore` call.

- `archive`: the file, and what is wrong with a damaged one;
- `registry`: which documents belong into a backup, and which a restore leaves as they are;
- `dump`: from the database to a file, at one moment, while everything runs;
- `staging`: from a file into collections beside the present ones;
- `carry_over`: what the present database knows and a backup cannot: erasures, counters, the newer audit events;
- `restore`: the order of it all, so that it may die anywhere and be run again.
"""

from coursehub.backup.registry import register

__all__ = ["register"]
