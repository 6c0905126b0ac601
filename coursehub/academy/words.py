"""What pages and e-mails say about a kind of answer, in sentences."""

import json
from collections.abc import Iterator
from typing import Any

from coursehub.models import AcademyAnswer
from coursehub.trainercentral.profile import Meaning

_LONGEST_QUOTE = 40
_MESSAGES = ("message", "msg", "error_description", "errorMessage", "description", "title", "error", "text")

# What follows when an answer has this meaning, for those who decide.
CONSEQUENCES: dict[Meaning, str] = {
    Meaning.INVITED: "The invitation was taken. The learners count as invited; nothing is sent again.",
    Meaning.ALREADY_ENROLLED: "The learner was in the course before. The rows count as already enrolled.",
    Meaning.REFUSED: "Nothing was sent, and this learner will not be taken. The rows count as failed.",
    Meaning.WAIT: "Nothing was sent, and the same call may succeed later. The rows are sent once more after a pause.",
    Meaning.STOP: "Nothing was sent, and no call will succeed until a person has put something right. "
    "The rows count as failed, and batches pause until somebody resumes them.",
}
# The colours of unfold's labels in the console's list.
LABELS: dict[str, str] = {
    AcademyAnswer.Meaning.OPEN: "warning",
    AcademyAnswer.Meaning.INVITED: "success",
    AcademyAnswer.Meaning.ALREADY_ENROLLED: "success",
    AcademyAnswer.Meaning.REFUSED: "danger",
    AcademyAnswer.Meaning.WAIT: "info",
    AcademyAnswer.Meaning.STOP: "danger",
}
CORRECTION = (
    "A correction holds for later answers and for rows that still wait. What was settled by the earlier decision "
    "stays as it is."
)


def name(answer: AcademyAnswer) -> str:
    """The answer in a few words: its code, else what it says, else its status."""
    if answer.code:
        return answer.code
    said = next(_texts(answer.sample), "") or _structure(answer.sample)
    quote = said if len(said) <= _LONGEST_QUOTE else f"{said[:_LONGEST_QUOTE]}…"
    return f"HTTP {answer.status} “{quote}”" if quote else f"HTTP {answer.status} without a code"


def question(answer: AcademyAnswer) -> str:
    """What an administrator is asked."""
    return f"TrainerCentral answers {name(answer)} to an invitation. What does that mean?"


def finding(answer: AcademyAnswer) -> str:
    """What look-ups found among the course's members."""
    looked_up = answer.there + answer.absent
    if not looked_up:
        return "No learner who got this answer has been looked up in the course yet."
    learners = "1 learner" if looked_up == 1 else f"{looked_up} learners"
    are = "is" if answer.there == 1 else "are"
    return f"Of {learners} so answered, {answer.there or 'none'} {are} in the course now."


def decided(answer: AcademyAnswer) -> str:
    """Who decided, for a sentence that goes on with when; "" while nobody has."""
    if answer.is_open:
        return ""
    if answer.by_itself:
        return "Learnt by CourseHub itself, since a look-up found every learner who had got this answer"
    return f"Decided by {answer.decided_by}"


def alert(answer: AcademyAnswer) -> str:
    """One sentence for an e-mail."""
    return f"TrainerCentral answers {name(answer)} to an invitation; an administrator has to say what that means."


def _structure(sample: Any) -> str:
    """The body's structure as the client tells it in a sample; "" for none."""
    held = sample.get("body", sample) if isinstance(sample, dict) else sample
    if not held or isinstance(held, str):
        return "" if held == "empty" else str(held or "")
    return json.dumps(held, ensure_ascii=False).replace('"=', '"')


def _texts(sample: Any) -> Iterator[str]:
    """Texts for people in a sample, outer ones first."""
    if isinstance(sample, str):
        yield sample
        return
    inner = sample if isinstance(sample, list) else []
    if isinstance(sample, dict):
        yield from (sample[key] for key in _MESSAGES if isinstance(sample.get(key), str) and sample[key])
        inner = [held for held in sample.values() if not isinstance(held, str)]
    for held in inner:
        if not isinstance(held, str):
            yield from _texts(held)
