"""Which documents belong into a backup, and what a restore does with the others.

Collections and indexes of all are in it, documents of most. What is about the present moment only is not: a task
that waits, a session that is signed in, a call that was just paced must not come back with yesterday's data.
"""

from dataclasses import dataclass

from django.apps import apps

from coursehub import registered

STAGED = "restoring."  # the prefix of collections beside the present ones, see `staging`
UNFINISHED = "coursehub_restore"  # the mark of a restore that is under way, see `restore`


@dataclass(frozen=True)
class Share:
    """What one app has treated in its own way.

    `emptied`: collections that are empty after a restore. `present`: whose documents a restore leaves as they are.
    `settle`: dotted path of `settle(staged: staging.Staged) -> {what: how many}`, called before the restored
    documents are in use, to bring them into a state from which nothing happens by surprise.
    """

    emptied: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    settle: str = ""


_SHARES: dict[str, Share] = {
    "coursehub": Share(
        emptied=frozenset({"coursehub_queue", "coursehub_worker", "django_session"}),
        present=frozenset({"coursehub_lease", "coursehub_callbudget", "coursehub_clock", UNFINISHED}),
    )
}


def register(app: str, *, present: frozenset[str] = frozenset(), settle: str = "") -> None:
    """Called by AppConfig.ready()."""
    if settle:
        registered.note(settle, "a restore")
    _SHARES[app] = Share(present=present, settle=settle)


def is_emptied(name: str) -> bool:
    """Whether the collection is empty after a restore. django-q2's own tables name functions to run."""
    return name.startswith("django_q_") or any(name in share.emptied for share in _SHARES.values())


def is_left_alone(name: str) -> bool:
    """Whether a restore leaves the collection's documents as they are."""
    return any(name in share.present for share in _SHARES.values())


def has_documents(name: str) -> bool:
    """Whether the collection's documents are in a backup."""
    return not (is_emptied(name) or is_left_alone(name))


def is_ours(name: str) -> bool:
    """Whether the collection belongs to the product, so that a restore of a backup without it removes it."""
    labels = {config.label for config in apps.get_app_configs()}
    return any(name.startswith(f"{label}_") for label in labels)


def settlers() -> list[str]:
    """The dotted paths of what the apps registered."""
    return [share.settle for share in _SHARES.values() if share.settle]
