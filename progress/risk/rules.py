"""Who may need a hand, and why: rules over what is stored. Each flag says its rule, its data and what clears it.

Nobody is flagged who has completed the course or whose access was revoked. Everything is reckoned as of the
moment the data is of, so that old data makes no new flag.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from coursehub.trainercentral.records import REVOKED
from progress.models import RiskThresholds

# Moments of a stored learner that the rules look at.
MOMENTS = ("enrolled_at", "last_seen_at", "percent_since")
# A week with fewer learners than this says nothing: they are compared with the whole course.
_SMALLEST_COHORT = 5


class Rule(StrEnum):
    """The rules, in the order in which flags are given."""

    UNSEEN = "unseen"
    STALLED = "stalled"
    BEHIND = "behind"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Learner:
    """What the rules look at; moments are aware."""

    member_id: str
    percent: float
    status: str = ""
    enrolled_at: datetime | None = None
    last_seen_at: datetime | None = None
    percent_since: datetime | None = None  # since when the percentage is this one
    access_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason to look at a learner: which rule, the data that met it, what clears it. Sentences for people."""

    rule: Rule
    because: str
    clears: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those a learner is compared with."""

    name: str
    median_percent: float


def flags(learners: Iterable[Learner], thresholds: RiskThresholds, *, at: datetime) -> dict[str, list[Flag]]:
    """The flags of all learners of one course who have any, by member id. `at`: what moment the data is of."""
    everybody = [learner for learner in learners if learner.status != REVOKED]
    cohort_of = _cohorts(everybody)
    flagged = {}
    for learner in everybody:
        if learner.percent >= 100:
            continue
        found = list(_flags_of(learner, cohort_of(learner), thresholds, at))
        if found:
            flagged[learner.member_id] = found
    return flagged


def _flags_of(learner: Learner, cohort: Cohort, thresholds: RiskThresholds, at: datetime) -> Iterator[Flag]:
    yield from _unseen(learner, thresholds.unseen_days, at)
    yield from _stalled(learner, thresholds.stalled_below_percent, thresholds.stalled_days, at)
    yield from _behind(learner, cohort, thresholds.behind_points)
    yield from _expiry(learner, thresholds.expiry_days, at)


def _unseen(learner: Learner, limit_days: int | None, at: datetime) -> Iterator[Flag]:
    last = learner.last_seen_at or learner.enrolled_at
    if limit_days is None or last is None or at - last < timedelta(days=limit_days):
        return
    days = (at - last).days
    because = f"No visit for {_days(days)}" if learner.last_seen_at else f"Never seen since enrolling {_days(days)} ago"
    yield Flag(Rule.UNSEEN, f"{because}; the limit is {_days(limit_days)}.", "A visit clears it.")


def _stalled(learner: Learner, below: int | None, limit_days: int | None, at: datetime) -> Iterator[Flag]:
    since = learner.percent_since
    if below is None or limit_days is None or since is None or learner.percent >= below:
        return
    if at - since < timedelta(days=limit_days):
        return
    days = (at - since).days
    because = f"At {learner.percent:g} % for {_days(days)}; below {below} % the limit is {_days(limit_days)}."
    yield Flag(Rule.STALLED, because, f"Any progress clears it, and so does reaching {below} %.")


def _behind(learner: Learner, cohort: Cohort, limit_points: int | None) -> Iterator[Flag]:
    behind = cohort.median_percent - learner.percent
    if limit_points is None or behind < limit_points:
        return
    because = (
        f"At {learner.percent:g} %, {behind:g} points behind the median ({cohort.median_percent:g} %) of "
        f"{cohort.name}; the limit is {limit_points}."
    )
    yield Flag(Rule.BEHIND, because, f"Getting above {cohort.median_percent - limit_points:g} % clears it.")


def _expiry(learner: Learner, limit_days: int | None, at: datetime) -> Iterator[Flag]:
    ends_at = learner.access_ends_at
    if limit_days is None or ends_at is None or ends_at - at > timedelta(days=limit_days):
        return
    left = ends_at - at
    when = f"ends in {_days(left.days)}" if left > timedelta(0) else f"ended {_days((at - ends_at).days)} ago"
    because = f"Access {when}, at {learner.percent:g} %; the warning begins {_days(limit_days)} before its end."
    yield Flag(Rule.EXPIRY, because, "Completing the course clears it, and so does a later end of access.")


def _cohorts(learners: list[Learner]) -> Callable[[Learner], Cohort]:
    """Whom each learner is compared with: those who enrolled in the same week, if these are enough."""
    by_week: dict[tuple[int, int] | None, list[float]] = defaultdict(list)
    for learner in learners:
        by_week[_week(learner)].append(learner.percent)
    every = [learner.percent for learner in learners]
    everybody = Cohort(f"all {len(every)} learners", median(every) if every else 0.0)
    weeks: dict[tuple[int, int] | None, Cohort] = {
        week: Cohort(f"the {len(percents)} learners who enrolled in the same week", median(percents))
        for week, percents in by_week.items()
        if week is not None and len(percents) >= _SMALLEST_COHORT
    }
    return lambda learner: weeks.get(_week(learner), everybody)


def _week(learner: Learner) -> tuple[int, int] | None:
    return learner.enrolled_at.isocalendar()[:2] if learner.enrolled_at else None


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
