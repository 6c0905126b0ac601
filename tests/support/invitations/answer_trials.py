"""One trial of the matrix of answers, and what is looked at after each of its steps."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.support.invitations.answer_cases import Case

_POST, _LOOK, _FIRST_PAGE = "POST addCourseAttendee.json", "GET course/*/courseMembers.json", "si 0,"


class World(StrEnum):
    """What the academy did, whatever it answered."""

    ACTED = "acted"
    HIDDEN = "acted, and lists no learner who has not accepted"
    IDLE = "did not act"


@dataclass
class Trial:
    """One case in one world: its batch, the learners who get its answer, and the one who gets a plain one."""

    case: Case
    odd: list[str]
    plain: str
    batch: Any = None
    second: Any = None  # the same learners, uploaded anew
    again: int = 0  # presses of "Invite once more"
    undone: bool = False
    seen: dict[str, str] = field(default_factory=dict)  # step -> what was found after it, in short
    violations: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    @property
    def domain(self) -> str:
        return self.plain.partition("@")[2]

    def note(self, step: str, world: str, found: list[str], shown: str) -> None:
        """Of a violation that goes on from step to step the first is enough."""
        self.violations += [
            f"{self.case.name}, {world}, {step}: {text} ({shown})" for text in found if text not in self._known
        ]
        self._known.update(found)

    @property
    def batches(self) -> list[Any]:
        """Both, as they are now."""
        return [fresh(batch) for batch in (self.batch, self.second) if batch]


@dataclass
class Order:
    """Who was posted to twice with no reading of the members begun in between."""

    twice: set[str]

    def blind(self, email: str) -> bool:
        return email in self.twice


def order_of(calls: list[dict[str, Any]]) -> Order:
    last_look, twice = 0, set()
    posted_at: dict[str, int] = {}
    for call in calls:
        if call["endpoint"] == _LOOK and call["detail"].startswith(_FIRST_PAGE) and call["status"] == 200:
            last_look = call["n"]
        elif call["endpoint"] == _POST and "@" in call["detail"]:
            email = call["detail"].rpartition(", ")[2].lower()
            if posted_at.get(email, last_look + 1) > last_look and email in posted_at:
                twice.add(email)
            posted_at[email] = call["n"]
    return Order(twice)


def unexplained(trial: Trial) -> list[str]:
    found = []
    for batch in trial.batches:
        found += unexplained_in(batch)
    return found


def unexplained_in(batch: Any) -> list[str]:
    """What of a batch does not say why it stands as it stands."""
    from invitations.models import Batch, Invitation
    from invitations.selectors import batch_status

    found = []
    status = batch_status.status(batch.pk)
    if batch.state not in Batch.FINAL and not (status and status["reason"]):
        found.append(f"the batch is {batch.state} and does not say why")
    for row in rows_of(batch):
        if row.state in (Invitation.State.FAILED, Invitation.State.UNKNOWN) and not row.explanation:
            found.append(f"line {row.line} is {row.state} and does not say why")
        if batch.state in Batch.FINAL and row.state in ("pending", "sending", "revoking", "inviting_again"):
            found.append(f"line {row.line} is {row.state} in a batch that has ended")
    return found


def shown_of(trial: Trial, posts: list[int], acted: list[int]) -> str:
    """Batch, rows, posts and acted invitations of the odd learners, in short."""
    states = list(rows_of(trial.batch).filter(email__startswith="odd").values_list("state", flat=True))
    counted = " ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    batch = fresh(trial.batch)
    reason = f" “{batch.reason[:60]}”" if batch.reason else ""
    return f"{batch.state}{reason}: {counted}; posts {min(posts)}-{max(posts)}, acted {min(acted)}-{max(acted)}"


def fresh(batch: Any) -> Any:
    from invitations.models import Batch

    return Batch.objects.get(pk=batch.pk)


def rows_of(batch: Any) -> Any:
    from invitations.models import Invitation

    return Invitation.objects.filter(batch_id=batch.pk)
