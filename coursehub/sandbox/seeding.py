"""The academy as it is on its first day: courses and learners, the same for the same seed."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursehub.sandbox.simulation import DAY_MS, chance

FIRST_COURSE_ID = 3000094000002000004
COURSES = (
    ("Workplace Safety Essentials", "What everybody on site has to know", 24),
    ("Data Protection for Everyone", "Handling personal data with care", 18),
    ("First Aid Refresher", "The two-year refresher", 12),
    ("Leading Small Teams", "For new team leads", 32),
    ("Spreadsheet Skills for Analysts", "From tables to decisions", 40),
)
FIRST_NAMES, LAST_NAMES = (
    paragraph.split()[2:]  # after the heading
    for paragraph in Path(__file__).with_name("names.txt").read_text(encoding="utf-8").split("\n\n")
)
UNFOLDED = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "'": "", "-": ""})
OLDEST_INVITATION_DAYS = 42


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up learner; the address is always below example.org."""

    first_name: str
    last_name: str
    email: str


def courses(count: int | None = None) -> Iterator[tuple[str, tuple[str, str, int]]]:
    """The seeded courses: id, and name, subtitle, lessons. More than there are in COURSES repeat these, numbered."""
    for index in range(len(COURSES) if count is None else count):
        round_, place = divmod(index, len(COURSES))
        name, subtitle, lessons = COURSES[place]
        numbered = f"{name} {round_ + 1}" if round_ else name
        yield str(FIRST_COURSE_ID + 27 * index), (numbered, subtitle, lessons)


def person(seed: int, number: int) -> Person:
    """The number-th person of this seed; the number keeps addresses apart."""
    dice = chance("person", seed, number)
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    return Person(first, last.replace("-", " "), f"{_ascii(first)}.{_ascii(last)}.{number}@example.org")


def enrolments(seed: int, course_index: int, count: int | None) -> Iterator[tuple[Person, float]]:
    """Who is in a course on day one and how many ms ago they were invited, oldest first; 12 to 40 unless told."""
    dice = chance("course", seed, course_index)
    size = dice.randint(12, 40) if count is None else count
    ages_ms = sorted((dice.uniform(0, OLDEST_INVITATION_DAYS) * DAY_MS for _ in range(size)), reverse=True)
    for place, age_ms in enumerate(ages_ms):
        # The day-one numbers of the courses overlap, so that some people are in two of them.
        yield person(seed, course_index * 24 + place), age_ms


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(UNFOLDED))
    return plain.encode("ascii", "ignore").decode()
