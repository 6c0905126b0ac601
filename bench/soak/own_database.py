"""A step's own mongod, and Django set up on it: the environment of the tests."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

from coursehub.development.mongod import Mongod


@contextmanager
def own_database() -> Iterator[Mongod]:
    """Context: Django is set up, and its database has its tables and roles. Before any model is imported."""
    import django
    from django.core.management import call_command

    from tests.environment import MONGOD  # sets what Django's settings read

    os.environ["DJANGO_SETTINGS_MODULE"] = "coursehub.settings"
    django.setup()
    MONGOD.start()
    try:
        call_command("setup_coursehub", stdout=io.StringIO())
        yield MONGOD
    finally:
        MONGOD.stop()
