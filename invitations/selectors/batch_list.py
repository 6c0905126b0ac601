"""The batches that a person may see, newest first: all, of one state, and those that hold what is sought."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from pymongo.errors import ExecutionTimeout

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.roles import AnyUser
from invitations.models import Batch, Invitation
from invitations.selectors import search

SEARCH_MILLISECONDS = 2_000
_MOST_ROWS = 10_000  # of one learner, or of those whose addresses begin the same


@dataclass(frozen=True)
class Choice:
    """What the address of the list says. Nonsense in it counts as not said."""

    search: str = ""
    state: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Choice":
        state = str(parameters.get("state", ""))
        return cls(search.clean(str(parameters.get("q", ""))), state if state in Batch.State.values else "")

    @property
    def said(self) -> dict[str, str]:
        return {name: value for name, value in {"q": self.search, "state": self.state}.items() if value}

    def query(self, **changes: str) -> str:
        return urlencode({**self.said, **changes})


def of(user: AnyUser, choice: Choice) -> QuerySet[Batch]:
    """The batches of a choice: by the name of the file or the course, or with a learner whose address begins so.

    Raises search.SearchRefused.
    """
    batches: QuerySet[Batch] = Batch.objects.visible_to(user).select_related("uploaded_by").order_by("-created_at")
    if choice.state:
        batches = batches.filter(state=choice.state)
    if not choice.search:
        return batches
    search.words_of(choice.search)
    named = Q(filename__icontains=choice.search) | Q(course_name__icontains=choice.search)
    return batches.filter(named | Q(pk__in=_holding(choice.search)))


def _holding(text: str) -> list[str]:
    """The batches with a row whose address begins with `text`; none when that is no beginning of an address."""
    address = search.address_begins(text)
    if address is None:
        return []
    # The index of learners begins with the course; "" is the course of rows that name none.
    course_ids = ["", *Course.objects.values_list("course_id", flat=True)]
    stages: list[Document] = [
        {"$match": {"course_id": {"$in": course_ids}, "email_folded": address}},
        {"$limit": _MOST_ROWS},
        {"$group": {"_id": "$batch_id"}},
    ]
    try:
        found = outside_transaction(Invitation).aggregate(stages, maxTimeMS=SEARCH_MILLISECONDS)
        return [row["_id"] for row in found]
    except ExecutionTimeout as error:
        raise search.SearchRefused(search.TOO_SLOW) from error
