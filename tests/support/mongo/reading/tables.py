"""The app's tables in the engine and in SQLite, which serves as the reference for right rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import sites
from django.db import connections
from django.test.utils import override_settings

REFERENCE = "reference"


@contextmanager
def installed() -> Iterator[None]:
    """Context: the app is installed and its tables exist in both databases."""
    connections.settings[REFERENCE] = {
        **connections.settings["default"],
        **{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}},
    }
    site = admin.site
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "tests.support.mongo.reading"]):
        # The apps are made ready once more, and unfold then puts an empty site in the place of the registered one.
        admin.site = sites.site = site
        from .models import Note, Person, Tag

        for alias in ("default", REFERENCE):
            with connections[alias].schema_editor() as editor:
                for model in (Person, Note, Tag):
                    editor.create_model(model)
        yield
        for alias in ("default", REFERENCE):
            with connections[alias].schema_editor() as editor:
                for model in (Tag, Note, Person):
                    editor.delete_model(model)
    del connections.settings[REFERENCE]
