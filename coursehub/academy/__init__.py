"""What was learnt about the academy: facts, and what its answers mean. The API is hardly documented.

- `profile()`: all of it as the client asks for it; `note_answer` is what the client tells of unseen kinds.
- `note_fact(name, value)`: something was found out (`facts.FACTS` has the names); `pages_seen`, `order_seen` and
  `throttled` are for what daily work sees by the way.
- `note_finding`, `learn`: a look-up found learners whose answers nobody understands, or did not.
- `decide`: an administrator says what a kind of answer means; `register_decision_listener` hears of it.
"""

from coursehub.academy.answers import (
    LOOK_UP,
    decide,
    learn,
    note_answer,
    note_finding,
    open_questions,
    register_decision_listener,
    register_waiting_counter,
    waiting,
)
from coursehub.academy.observing import order_seen, pages_seen, throttled
from coursehub.academy.profiles import PROBE, academy_id, document, facts, forget, note_fact, profile, value_of

__all__ = [
    "LOOK_UP",
    "PROBE",
    "academy_id",
    "decide",
    "document",
    "facts",
    "forget",
    "learn",
    "note_answer",
    "note_fact",
    "note_finding",
    "open_questions",
    "order_seen",
    "pages_seen",
    "profile",
    "register_decision_listener",
    "register_waiting_counter",
    "throttled",
    "value_of",
    "waiting",
]
