"""The figures of the admin's first page: what needs a hand first, then how things stand. One query per card."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Max
from django.urls import reverse

from coursehub import academy, roles
from coursehub.academy import words as academy_words
from coursehub.console import badges
from coursehub.models import AuditEvent, Course
from invitations.models import Batch
from oauthtokens.models import TokenSet
from progress.models import Member

_RECENT_EVENTS, _QUESTIONS_SHOWN = 8, 5
_USABLE_SETS = (TokenSet.State.READY, TokenSet.State.ACTIVE)
_SETS_IN_NEED = (
    TokenSet.State.EXHAUSTED,
    TokenSet.State.BROKEN,
    TokenSet.State.REVOKED,
    TokenSet.State.UNDECRYPTABLE,
    TokenSet.State.REVOCATION_PENDING,
)


def figures(held: frozenset[str]) -> dict[str, Any]:
    """Cards for the roles `held`; a key that the roles may not see is absent.

    {"attention": [{"tone", "text", "url"}], "token_sets": [TokenSet], "usable_sets": [TokenSet],
    "batches": [{state, label, tone, count, url}], "working": how many of them have something to do,
    "courses": {"count", "synced_at"}, "learners": {"count", "changed_at"}, "events": [AuditEvent]}
    """
    permissions = frozenset().union(*(roles.PERMISSIONS[role] for role in held))
    board: dict[str, Any] = {}
    if "oauthtokens.view_tokenset" in permissions:
        board["token_sets"] = list(TokenSet.objects.all())
        board["usable_sets"] = [one for one in board["token_sets"] if one.state in _USABLE_SETS]
    if "coursehub.view_course" in permissions:
        board["courses"] = Course.objects.open().aggregate(count=Count("pk"), synced_at=Max("synced_at"))
    if "progress.view_member" in permissions:
        board["learners"] = Member.objects.here().aggregate(count=Count("pk"), changed_at=Max("changed_at"))
    if "invitations.view_batch" in permissions:
        board["batches"] = _batches_by_state()
        board["working"] = sum(part["count"] for part in board["batches"] if part["state"] in Batch.WORKING)
        board["paused"] = list(Batch.objects.filter(state=Batch.State.PAUSED)[:5])
    if "coursehub.view_auditevent" in permissions:
        board["events"] = list(AuditEvent.objects.all()[:_RECENT_EVENTS])
    if "coursehub.view_academyanswer" in permissions:
        board["questions"] = academy.open_questions()
    board["attention"] = list(_attention(board))
    return board


def _batches_by_state() -> list[dict[str, Any]]:
    counts = dict(Batch.objects.order_by().values_list("state").annotate(Count("pk")))
    changelist = reverse("admin:invitations_batch_changelist")
    return [
        {
            "state": state,
            "label": badges.label(state),
            "tone": badges.tone(state),
            "count": counts.get(state, 0),
            "url": f"{changelist}?state__exact={state}",
        }
        for state in Batch.State.values
        if state != Batch.State.UPLOADED
    ]


def _attention(board: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What a person should look at now, each with the page where it can be put right."""
    token_sets = board.get("token_sets")
    if token_sets is not None:
        yield from _attention_to_tokens(token_sets)
    for answer in board.get("questions", ())[:_QUESTIONS_SHOWN]:
        waiting = academy.waiting(answer.key)
        rows = (
            f" {waiting} row{'' if waiting == 1 else 's'} wait{'s' if waiting == 1 else ''} for it." if waiting else ""
        )
        yield {
            "tone": "warn",
            "text": f"{academy_words.alert(answer)}{rows}",
            "url": reverse("admin:coursehub_academyanswer_change", args=[answer.pk]),
        }
    for batch in board.get("paused", ()):
        yield {
            "tone": "warn",
            "text": f"{batch.filename} for {batch.course_name} is paused: {batch.reason}",
            "url": reverse("invitations:batch", kwargs={"batch_id": batch.pk}),
        }


def _attention_to_tokens(token_sets: list[TokenSet]) -> Iterator[dict[str, str]]:
    changelist = reverse("admin:oauthtokens_tokenset_changelist")
    if not any(one.state in _USABLE_SETS for one in token_sets):
        text = "No token set can be used, so nothing is sent and no progress is read: regenerate one."
        yield {"tone": "bad", "text": text, "url": changelist}
    for token_set in token_sets:
        if token_set.state in _SETS_IN_NEED:
            reason = f": {token_set.reason}" if token_set.reason else "."
            text = f"Token set {token_set.number} is {token_set.get_state_display().lower()}{reason}"
            yield {"tone": "warn", "text": text, "url": changelist}
