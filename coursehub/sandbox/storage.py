"""The sandbox's memory on disk: SQLite in WAL mode, written before a call is answered.

`synchronous=NORMAL` hands each commit to the operating system without waiting for the disk: enough
to survive `kill -9`, which is what is promised; a power cut may cost the last moments. The file is
locked for as long as the process lives, so two sandboxes cannot share one state.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FORMAT = 4
UPGRADES = {
    1: "ALTER TABLE members ADD COLUMN expires_ms INTEGER;",
    2: "ALTER TABLE codes ADD COLUMN challenge TEXT NOT NULL DEFAULT '';",
    3: "ALTER TABLE invitations ADD COLUMN posted INTEGER NOT NULL DEFAULT 0; UPDATE invitations SET posted = count;",
}
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE courses (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE learners (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
    joined_ms INTEGER NOT NULL);
CREATE TABLE members (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, learner_id INTEGER NOT NULL, invited_ms INTEGER NOT NULL,
    revoked_ms INTEGER, pinned_percent INTEGER, pinned_ms INTEGER, expires_ms INTEGER);
CREATE TABLE invitations (
    course_id TEXT NOT NULL, email TEXT NOT NULL, count INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    posted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (course_id, email)) WITHOUT ROWID;
CREATE TABLE refresh_tokens (
    digest TEXT PRIMARY KEY, scope TEXT NOT NULL, created_ms INTEGER NOT NULL, uses INTEGER NOT NULL,
    window_ms INTEGER NOT NULL, window_mints INTEGER NOT NULL);
CREATE TABLE access_tokens (
    digest TEXT PRIMARY KEY, refresh_digest TEXT NOT NULL, scope TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE codes (
    digest TEXT PRIMARY KEY, scope TEXT NOT NULL, redirect_uri TEXT NOT NULL, offline INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, challenge TEXT NOT NULL DEFAULT '');
CREATE TABLE calls (
    n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, took_ms INTEGER NOT NULL, endpoint TEXT NOT NULL,
    status INTEGER NOT NULL, detail TEXT NOT NULL);
"""


class StateUnusable(RuntimeError):
    """The state file cannot be used; the text says why and what to do."""


class Journal:
    """One open state file. `is_new` tells whether this start created it."""

    def __init__(self, path: str) -> None:
        """Open or create `path` (`:memory:` keeps nothing). Raises StateUnusable."""
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=2.0, cached_statements=64)
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            self.is_new = version == 0
            if self.is_new:
                self._connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={FORMAT}; COMMIT;")
            while version in UPGRADES:
                upgrade = f"BEGIN IMMEDIATE; {UPGRADES[version]} PRAGMA user_version={version + 1}; COMMIT;"
                self._connection.executescript(upgrade)
                version += 1
        except sqlite3.Error as error:
            raise StateUnusable(f"The sandbox's state {path} cannot be opened ({error}).") from error
        if version not in (0, FORMAT):
            raise StateUnusable(f"The sandbox's state {path} is of another version: delete it or name another file.")
        self.execute = self._connection.execute
        self.executemany = self._connection.executemany

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is executed inside is on record when this ends, or none of it if it raises."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def remember(self, key: str, value: Any) -> None:
        """Keep a small JSON value under `key`."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def recall(self, key: str, default: Any = None) -> Any:
        """What `remember` kept under `key`."""
        row = self.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._connection.close()
