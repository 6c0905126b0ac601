"""A course's members and where they stand, looked up once for all calls of the same tenth of a second."""

from coursehub.sandbox.academy import PENDING, REVOKED, Academy, Course, Member, Standing
from coursehub.sandbox.switches import Switches

KEPT_MS = 100
BY_TIME, BY_PROGRESS = "1", "5"
Pair = tuple[Member, Standing]


class Roster:
    """All members of a course at one moment, and their orders once asked for."""

    def __init__(self, academy: Academy, course: Course, now_ms: int) -> None:
        self.made_ms = now_ms
        self.pairs: list[Pair] = [(member, academy.standing(member, now_ms)) for member in course.members.values()]
        self.pending = sum(standing.status == PENDING for _, standing in self.pairs)
        self._orders: dict[tuple[str, bool, bool, frozenset[str]], list[Pair]] = {}

    def ordered(self, sort: str, switches: Switches) -> list[Pair]:
        """By time, by progress (highest first), or by enrolment. The list is shared: not to be changed."""
        newest_first, time_moves = switches.sort_1_order == "newest", switches.time_moves_with_progress
        unlisted = {PENDING} if not switches.pending_listed else set()
        unlisted |= {REVOKED} if not switches.revoked_listed else set()
        key = sort, newest_first, time_moves, frozenset(unlisted)
        if key not in self._orders:
            pairs = [pair for pair in self.pairs if pair[1].status not in unlisted]
            if sort == BY_TIME:
                pairs.sort(key=lambda pair: pair[1].time_ms(time_moves), reverse=newest_first)
            elif sort == BY_PROGRESS:
                pairs.sort(key=lambda pair: -pair[1].percent)
            self._orders[key] = pairs
        return self._orders[key]


class Rosters:
    """The rosters of the moment; `forget` after whatever they must show at once."""

    def __init__(self, academy: Academy) -> None:
        self._academy = academy
        self._kept: dict[str, Roster] = {}

    def of(self, course: Course, now_ms: int) -> Roster:
        """The course's roster, at most a tenth of a second old."""
        roster = self._kept.get(course.id)
        if roster is None or not 0 <= now_ms - roster.made_ms < KEPT_MS:
            roster = self._kept[course.id] = Roster(self._academy, course, now_ms)
        return roster

    def forget(self) -> None:
        """Look everything up anew."""
        self._kept.clear()
