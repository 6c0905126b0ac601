"""pymongo's errors as Django's, once, at the boundary; and the exception names that Django looks up."""

from __future__ import annotations

import decimal
from types import TracebackType

from bson.errors import BSONError
from django.db import utils
from djongo import database as djongo_database
from pymongo import errors as pymongo_errors

_DUPLICATE_KEY = 11000
# Codes with which the server refuses a value or an operation on it, not the command as such.
_BAD_VALUE_CODES = {2, 14, 16007, 31109, 34470, 34471, 51091, 51109, 51111}  # the last three: patterns
_CONVERSION_FAILURE = 241
# The server says this when an update computes NULL for a NOT NULL column (writes.py makes it fail).
NOT_NULL = "NOT NULL constraint failed"


class Database:
    """Stands where Django expects the DB-API module: Djongo's exception classes, and `Binary`."""

    DataError = djongo_database.DataError
    OperationalError = djongo_database.OperationalError
    IntegrityError = djongo_database.IntegrityError
    InternalError = djongo_database.InternalError
    ProgrammingError = djongo_database.ProgrammingError
    NotSupportedError = djongo_database.NotSupportedError
    DatabaseError = djongo_database.DatabaseError
    InterfaceError = djongo_database.InterfaceError
    Error = djongo_database.Error
    Binary = bytes


def has_duplicate_key(error: BaseException) -> bool:
    """Whether `error` says that a unique index refused a document."""
    if isinstance(error, pymongo_errors.BulkWriteError):
        return any(entry.get("code") == _DUPLICATE_KEY for entry in error.details.get("writeErrors", ()))
    return getattr(error, "code", None) == _DUPLICATE_KEY


def has_only_duplicate_keys(error: pymongo_errors.BulkWriteError) -> bool:
    """Whether unique indexes are all that kept documents out."""
    refused = error.details.get("writeErrors", ())
    return not error.details.get("writeConcernErrors") and all(entry.get("code") == _DUPLICATE_KEY for entry in refused)


def as_django_error(error: Exception) -> utils.Error:
    """The Django exception that says the same as `error`, which is pymongo's, bson's or an overflow."""
    if has_duplicate_key(error) or NOT_NULL in str(error):
        return utils.IntegrityError(_text(error))
    if isinstance(error, (pymongo_errors.InvalidOperation, pymongo_errors.ConfigurationError)):
        return utils.InterfaceError(_text(error))
    if isinstance(error, pymongo_errors.OperationFailure):
        if error.code in _BAD_VALUE_CODES or error.code == _CONVERSION_FAILURE:
            return utils.DataError(_text(error))
        if error.has_error_label("TransientTransactionError"):
            return utils.OperationalError(_text(error))
        return utils.DatabaseError(_text(error))
    if isinstance(error, pymongo_errors.ConnectionFailure):
        return utils.OperationalError(_text(error))
    if isinstance(error, (BSONError, OverflowError, decimal.DecimalException, pymongo_errors.DocumentTooLarge)):
        return utils.DataError(_text(error))
    return utils.DatabaseError(_text(error))


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


_OURS = (pymongo_errors.PyMongoError, BSONError, OverflowError, decimal.DecimalException)


class translated:
    """Context: pymongo's errors leave as Django's.

    IntegrityError for duplicate keys, DataError for values that BSON or the server cannot hold,
    OperationalError for lost connections and write conflicts, DatabaseError for the rest.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, _OURS):
            raise as_django_error(error) from error
