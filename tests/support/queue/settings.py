"""Settings of the workers in the tests of the queue: only what the queue needs, and the tasks of the tests."""

from coursehub.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "coursehub",
    "django_q",
    "tests.support.queue.tasks.QueueTasksConfig",
]
