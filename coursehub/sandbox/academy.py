"""Courses, learners and members: kept in memory, written through to the journal."""

import json
from dataclasses import dataclass, field

from coursehub.sandbox import seeding
from coursehub.sandbox.clock import Clock
from coursehub.sandbox.simulation import Journey, journey
from coursehub.sandbox.storage import Journal

FIRST_MEMBER_ID = 3000094000003000001
FIRST_LEARNER_ID = 3000094000004000001
PENDING, ENROLLED, REVOKED = "0", "50", "51"


@dataclass(slots=True)
class Course:
    """One course and its members by folded e-mail, in the order of enrolment."""

    id: str
    name: str
    subtitle: str
    lessons: int
    created_ms: int
    members: dict[str, "Member"] = field(default_factory=dict)


@dataclass(slots=True)
class Learner:
    """A person in the academy."""

    id: str
    email: str
    first_name: str
    last_name: str
    joined_ms: int

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class Member:
    """A learner in a course. `pinned_percent` overrules the journey; access ends at `expires_ms`, if that is set."""

    id: str
    course: Course
    learner: Learner
    invited_ms: int
    revoked_ms: int | None = None
    pinned_percent: int | None = None
    pinned_ms: int = 0
    expires_ms: int | None = None
    journey: Journey | None = None  # looked up when first asked for
    listed: tuple[object, dict[str, str]] = (None, {})  # the row listed last, and all that it depends on

    def ended_ms(self, now_ms: int) -> int | None:
        """When access ended, by revocation or by its own expiry; None while it lasts."""
        if self.expires_ms is not None and self.expires_ms <= now_ms:
            return self.expires_ms if self.revoked_ms is None else min(self.expires_ms, self.revoked_ms)
        return self.revoked_ms


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a member is, times in server milliseconds (0: never)."""

    status: str
    percent: int
    changed_ms: int
    last_login_ms: int
    joined_ms: int  # accepted, or while pending invited

    def time_ms(self, time_moves: bool) -> int:
        """The member's `time`: of the last change, or of joining where progress does not move it."""
        return self.changed_ms if time_moves else self.joined_ms


class Academy:
    """All state of the academy. Methods that change something must run inside a journal transaction."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self.seed = 1
        self.courses: dict[str, Course] = {}
        self.learners: dict[str, Learner] = {}
        self.members: dict[str, Member] = {}

    def start_afresh(self, seed: int, learners_per_course: int | None, courses: int | None = None) -> None:
        """Replace everything by the academy of this seed."""
        for table in ("courses", "learners", "members"):
            self._journal.execute(f"DELETE FROM {table}")  # noqa: S608  (names from the line above)
        self._journal.remember("seed", seed)
        self.seed, self.courses, self.learners, self.members = seed, {}, {}, {}
        now = self._clock.now_ms()
        for index, (course_id, (name, subtitle, lessons)) in enumerate(seeding.courses(courses)):
            created_ms = now - int((seeding.OLDEST_INVITATION_DAYS + 7 * index + 3) * 86_400_000)
            course = Course(course_id, name, subtitle, lessons, created_ms)
            body = json.dumps([name, subtitle, lessons, created_ms])
            self._journal.execute("INSERT INTO courses VALUES (?, ?)", (int(course_id), body))
            self.courses[course_id] = course
            for person, ago_ms in seeding.enrolments(seed, index, learners_per_course):
                learner = self.find_or_add_learner(person.email, person.first_name, person.last_name, now - int(ago_ms))
                self.add_member(course, learner, now - int(ago_ms))

    def load(self) -> None:
        """Read everything back from the journal."""
        execute = self._journal.execute
        self.seed = self._journal.recall("seed", 1)
        self.courses, self.learners, self.members = {}, {}, {}
        for number, body in execute("SELECT id, body FROM courses ORDER BY id"):
            self.courses[str(number)] = Course(str(number), *json.loads(body))
        by_id = {}
        for number, *details in execute("SELECT id, email, first_name, last_name, joined_ms FROM learners ORDER BY id"):
            by_id[number] = learner = Learner(str(number), *details)
            self.learners[learner.email.lower()] = learner
        columns = "id, course_id, learner_id, invited_ms, revoked_ms, pinned_percent, pinned_ms, expires_ms"
        for number, course_id, learner_id, *rest in execute(f"SELECT {columns} FROM members ORDER BY id"):  # noqa: S608
            course = self.courses[str(course_id)]
            self._place(Member(str(number), course, by_id[learner_id], *rest))

    def find_or_add_learner(self, email: str, first_name: str, last_name: str, joined_ms: int) -> Learner:
        """The learner with this address, whatever its case."""
        learner = self.learners.get(email.lower())
        if learner is None:
            last_id = int(next(reversed(self.learners.values())).id) if self.learners else FIRST_LEARNER_ID - 1
            learner = Learner(str(last_id + 1), email, first_name, last_name, joined_ms)
            row = (last_id + 1, email, first_name, last_name, joined_ms)
            self._journal.execute("INSERT INTO learners VALUES (?, ?, ?, ?, ?)", row)
            self.learners[email.lower()] = learner
        return learner

    def add_member(self, course: Course, learner: Learner, invited_ms: int) -> Member:
        """A new member; the learner must not be one yet."""
        last_id = int(next(reversed(self.members))) if self.members else FIRST_MEMBER_ID - 1
        member = Member(str(last_id + 1), course, learner, invited_ms)
        row = (last_id + 1, int(course.id), int(learner.id), invited_ms)
        self._journal.execute("INSERT INTO members VALUES (?, ?, ?, ?, NULL, NULL, 0, NULL)", row)
        self._place(member)
        return member

    def set_access(self, member: Member, *, revoked_ms: int | None = None, expires_ms: int | None = None) -> None:
        """Give the member access until the earlier of these moments; for good without any."""
        statement = "UPDATE members SET revoked_ms = ?, expires_ms = ? WHERE id = ?"
        self._journal.execute(statement, (revoked_ms, expires_ms, int(member.id)))
        member.revoked_ms, member.expires_ms = revoked_ms, expires_ms

    def pin(self, member: Member, percent: int, at_ms: int) -> None:
        """Let the member stand at `percent`, changed at that moment, until the next pin."""
        statement = "UPDATE members SET pinned_percent = ?, pinned_ms = ? WHERE id = ?"
        self._journal.execute(statement, (percent, at_ms, int(member.id)))
        member.pinned_percent, member.pinned_ms = percent, at_ms

    def delete_learner(self, learner: Learner) -> None:
        """Take the learner out of the academy and all its courses."""
        self._journal.execute("DELETE FROM members WHERE learner_id = ?", (int(learner.id),))
        self._journal.execute("DELETE FROM learners WHERE id = ?", (int(learner.id),))
        for course in self.courses.values():
            member = course.members.pop(learner.email.lower(), None)
            if member is not None:
                del self.members[member.id]
        del self.learners[learner.email.lower()]

    def standing(self, member: Member, now_ms: int) -> Standing:
        """Where the member stands at `now_ms`; one whose access has ended has stood still since."""
        ended_ms = member.ended_ms(now_ms)
        seen_ms = now_ms if ended_ms is None else min(now_ms, ended_ms)
        if member.pinned_percent is not None:
            standing = Standing(ENROLLED, member.pinned_percent, member.pinned_ms, member.pinned_ms, member.pinned_ms)
        else:
            standing = self._lived(member, seen_ms)
        if ended_ms is None:
            return standing
        return Standing(REVOKED, standing.percent, seen_ms, standing.last_login_ms, standing.joined_ms)

    def _lived(self, member: Member, now_ms: int) -> Standing:
        way = member.journey
        if way is None:
            email = member.learner.email.lower()
            way = member.journey = journey(self.seed, member.course.id, email)
        invited = self._clock.learner_ms(member.invited_ms)
        elapsed = self._clock.learner_ms(now_ms) - invited
        if not way.accepted(elapsed):
            return Standing(PENDING, 0, member.invited_ms, 0, member.invited_ms)
        percent = way.percent(elapsed)
        changed_ms = self._clock.server_ms(invited + way.reached_ms(percent))
        accepted_ms = changed_ms if percent == 0 else self._clock.server_ms(invited + way.accepts_ms)
        return Standing(ENROLLED, percent, changed_ms, changed_ms, accepted_ms)

    def _place(self, member: Member) -> None:
        self.members[member.id] = member
        member.course.members[member.learner.email.lower()] = member
