"""What went wrong with a command, in one sentence and an exit code; nothing of it is a secret."""

from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, InterfaceError, OperationalError
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from coursehub.mongo.types import Document
from coursehub.trainercentral import TrainerCentralError

GOOD, WARNING, BAD, USAGE = 0, 1, 2, 3
INTERRUPTED = 130
_MONGODB_WITHIN_MS = 10_000  # an election of another primary takes so long
_AWAY = "MongoDB does not answer: check MONGODB_URI, and that the server runs."
_UNUSABLE_URI = "MONGODB_URI is not a connection string of MongoDB."


def require_mongodb() -> None:
    """Raises pymongo's error when MongoDB does not answer within 10 s, or what the connection string says."""
    options = parse_uri(settings.MONGODB_URI)["options"]
    within_ms = options.get("serverSelectionTimeoutMS", _MONGODB_WITHIN_MS)
    client: MongoClient[Document]
    with MongoClient(settings.MONGODB_URI, serverSelectionTimeoutMS=within_ms) as client:
        client.admin.command("ping")


def sentence_of(error: BaseException) -> tuple[str, int] | None:
    """The sentence and the exit code of an error that says what to do about it; None for one that does not."""
    if isinstance(error, SystemCheckError):
        return _of_checks(), USAGE
    if isinstance(error, CommandError):
        return str(error), error.returncode
    if isinstance(error, TrainerCentralError):
        return error.sentence, BAD
    if isinstance(error, ImproperlyConfigured):
        return str(error), USAGE
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", INTERRUPTED
    if isinstance(error, (PyMongoError, DatabaseError, InterfaceError)):
        return _of_mongodb(error)
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return f"{named}{error.strerror}.", BAD
    return None


def unforeseen(error: BaseException) -> tuple[str, int]:
    """For an error that nobody foresaw; its text may hold anything, so only its kind is told."""
    return f"This failed in a way that nobody foresaw ({type(error).__name__}); --traceback shows where.", BAD


def _of_mongodb(error: BaseException) -> tuple[str, int]:
    cause = error if isinstance(error, PyMongoError) else error.__cause__
    if isinstance(cause, ConfigurationError):
        return _UNUSABLE_URI, USAGE
    if isinstance(cause, ConnectionFailure) or (isinstance(error, OperationalError) and cause is None):
        return _AWAY, BAD
    if isinstance(cause, OperationFailure):
        name = (cause.details or {}).get("codeName", "") or f"code {cause.code}"
        return f"MongoDB refuses what CourseHub asks of it ({name}): check the user and the rights in MONGODB_URI.", BAD
    return f"MongoDB could not do what CourseHub asked of it ({type(cause or error).__name__}).", BAD


def _of_checks() -> str:
    """What the settings must be changed to, a sentence for each."""
    serious = [message for message in run_checks() if message.is_serious()]
    return " ".join(f"{message.msg} ({message.id}) {message.hint or ''}".strip() for message in serious)
