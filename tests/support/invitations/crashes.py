"""kill -9 of the product's processes, of mongod and of the sandbox at random points of batches, and what must hold."""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found
from tests.support.invitations import answer_cases, people
from tests.support.invitations.answer_cases import Case, Reads
from tests.support.invitations.answer_trials import unexplained_in
from tests.support.invitations.crash_stage import FAIR, KINDS, WEATHER, Stage

ROWS, ODD_ROWS = 40, 12
_FAIR, _ODD = "fair weather", "odd answers"
_ODD_CASES = 3  # in one batch, ODD_ROWS learners each time shared out among them
ENDS_WITHIN_SECONDS = 300
_CONFIRMED_WITHIN_SECONDS = 180
_KILLS_WITHIN_SECONDS = 3.0
_KILLED_WHILE_PREPARING = 0.3  # share of the kills; the others hit while invitations are sent
_WEATHER_SECONDS = 1.5  # before the first kill: with 40 rows, time enough to be met with
_LARGE_CELL = "x" * 6_000  # makes a file that a worker reads, and not the request


@dataclass
class Run:
    """A batch, and what befell it by plan."""

    name: str
    kinds: list[str]
    weather: str
    odd: dict[str, Case] = field(default_factory=dict)  # e-mail -> what some calls for it are answered with
    batch: Any = None

    def __str__(self) -> str:
        cases = sorted({case.name for case in self.odd.values()})
        return f"{self.name} ({', '.join([*self.kinds, self.weather, *cases])})"

    def may_lack(self, email: str) -> bool:
        """Whether the answer says that this learner is there, true or not."""
        return email in self.odd and self.odd[email].reads in (Reads.INVITED, Reads.THERE)


def crash_runs(opened: Stage, chances: Iterable[tuple[str, random.Random]]) -> Found:
    """A batch for each name, one to three kills at random points of each; what was promised and did not hold.

    The next batch begins while rows of the one before wait for their sweeps, and so its kills hit both.
    """
    doubled, pressed = opened.doubler.doubled, opened.person.pressed
    runs = [_crash_run(opened, name, chance) for name, chance in chances]
    opened.person.batches.clear()
    found, ends_at = Found(), time.monotonic() + ENDS_WITHIN_SECONDS
    for run in runs:
        found.add(_ended(opened, run, ends_at))
    for run in runs:
        found.add(_judged(opened, run, ends_at))
    found.sums["tasks_doubled"] = opened.doubler.doubled - doubled
    found.sums["buttons_pressed"] = opened.person.pressed - pressed
    found.violations += [f"no {name}" for name in ("tasks_doubled", "buttons_pressed") if not found.sums[name]]
    return found


def _crash_run(opened: Stage, name: str, chance: random.Random) -> Run:
    kinds = [chance.choice(KINDS) for _ in range(chance.randint(1, 3))]
    run = Run(name, kinds, chance.choice([_FAIR, _ODD, chance.choice(list(WEATHER))]))
    early = [kind for kind in kinds if chance.random() < _KILLED_WHILE_PREPARING]
    late = kinds.copy()
    for kind in early:
        late.remove(kind)
    run.batch = _uploaded(name)
    _kill_all(opened, early, chance)
    if run.weather == _ODD:
        _answer_oddly(opened, run, chance)
    if _confirm(opened, run.batch):
        opened.person.batches.append(run.batch)
        _await_first_call(opened.sandbox, name)
        if run.weather in WEATHER:
            WEATHER[run.weather](opened.sandbox)
        if run.weather != _FAIR:
            time.sleep(_WEATHER_SECONDS)
        _kill_all(opened, late, chance)
        opened.sandbox.switch(**FAIR)
        people.bring_tokens(opened.sandbox)
    return run


def _answer_oddly(opened: Stage, run: Run, chance: random.Random) -> None:
    """Give the batch's first learners answers that nobody expects, for a few calls or all while the weather lasts."""
    script = []
    for number, case in enumerate(chance.sample(answer_cases.ALL, _ODD_CASES)):
        emails = [_email(run.name, row) for row in range(number, ODD_ROWS, _ODD_CASES)]
        run.odd |= dict.fromkeys(emails, case)
        for email in emails:
            times = chance.choice([1, 2, None])
            script += answer_cases.script_of(case, [email], email, acts=opened.odd_answers_act, times=times)
    opened.sandbox.switch(invitation_answers=script)


def _kill_all(opened: Stage, kinds: list[str], chance: random.Random) -> None:
    began, moments = time.monotonic(), sorted(chance.uniform(0, _KILLS_WITHIN_SECONDS) for _ in kinds)
    for kind, moment in zip(kinds, moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        opened.kill(kind, chance)


def _uploaded(name: str) -> Any:
    from django.contrib.auth.models import User

    from coursehub.models import Course
    from invitations import services

    rows = (f"{_email(name, number)},Soak,No {number},{_LARGE_CELL}\n" for number in range(ROWS))
    return services.upload(
        user=User.objects.get(username="trainer"), course=Course.objects.order_by("course_id")[0],
        filename=f"{name}.csv", content=f"email,first name,last name,notes\n{''.join(rows)}".encode(),
    )  # fmt: skip


def _email(name: str, number: int) -> str:
    return f"{name}.{number}@example.org"


def _confirm(opened: Stage, batch: Any) -> bool:
    """As soon as the workers have read the file; False when they do not."""
    from invitations import services

    ends_at = time.monotonic() + _CONFIRMED_WITHIN_SECONDS
    while time.monotonic() < ends_at:
        if services.confirm(batch, actor="trainer"):
            return True
        opened.keep_workers()
        time.sleep(0.1)
    return False


def _await_first_call(sandbox: SandboxProcess, name: str) -> None:
    """Sending waits for the sweep of the members."""
    ends_at = time.monotonic() + _CONFIRMED_WITHIN_SECONDS
    while time.monotonic() < ends_at and not _invited(sandbox, name):
        time.sleep(0.05)


def _invited(sandbox: SandboxProcess, name: str) -> dict[str, int]:
    """E-mail -> invitations that the sandbox counted, of this batch."""
    return {email: count for (_, email), count in sandbox.invitations().items() if email.startswith(f"{name}.")}


def _ended(opened: Stage, run: Run, ends_at: float) -> Found:
    """Wait until the batch is final by itself, or for a person only, who then resumes; what does not say why."""
    from invitations.models import Batch

    found = Found(sums={f"kills_of_{kind}": float(run.kinds.count(kind)) for kind in KINDS})
    found.sums |= {"runs_in_bad_weather": float(run.weather in WEATHER), "runs_with_odd_answers": float(bool(run.odd))}
    while not _is_final(run.batch) and time.monotonic() < ends_at:
        opened.keep_workers()
        if Batch.objects.filter(pk=run.batch.pk, state=Batch.State.PAUSED, resume_at=None).exists():
            people.resume(run.batch)
        time.sleep(0.25)
    run.batch.refresh_from_db()
    found.violations += [f"{run}: {text}" for text in unexplained_in(run.batch)]
    found.sums["rows_left_to_a_person"] = float(len(_left(run.batch)))
    return found


def _judged(opened: Stage, run: Run, ends_at: float) -> Found:
    """People press what there is to press, until everybody is invited; what was promised and did not hold."""
    from invitations.models import Batch, Invitation
    from invitations.selectors import batch_status

    while not (_is_final(run.batch) and not _left(run.batch)) and time.monotonic() < ends_at:
        opened.keep_workers()
        if not people.decide_rows(run.batch, opened.sandbox) and not people.retry(run.batch):
            people.resume(run.batch)
        time.sleep(0.5)
    counted, status = _invited(opened.sandbox, run.name), batch_status.status(run.batch.pk)
    rows = list(Invitation.objects.filter(batch=run.batch).values_list("email", "state"))
    found = Found(sums={"rows": len(rows)})
    if not Batch.objects.filter(pk=run.batch.pk, state=Batch.State.COMPLETED).exists():
        found.violations.append(f"{run}: did not end: {status['state']} {status['reason']} {status['counts']}")
    if len(rows) != ROWS:
        found.violations.append(f"{run}: {len(rows)} rows were stored")
    found.violations += [f"{run}: {email} was invited {count} times" for email, count in counted.items() if count > 1]
    found.violations += [
        f"{run}: {email} is {state}, and the sandbox counted {counted.get(email, 0)}"
        for email, state in rows
        if state not in ("invited", "already_enrolled") or not (counted.get(email) or run.may_lack(email))
    ]
    return found


def _is_final(batch: Any) -> bool:
    from invitations.models import Batch

    return Batch.objects.filter(pk=batch.pk, state__in=Batch.FINAL).exists()


def _left(batch: Any) -> list[str]:
    """The states of rows that a person may still do something about."""
    from invitations.models import Invitation

    open_rows = Invitation.objects.filter(batch=batch, state__in=[Invitation.State.FAILED, Invitation.State.UNKNOWN])
    return list(open_rows.values_list("state", flat=True))
