"""The control surface under /_sandbox/: for tests, demos and people, never part of the real thing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursehub.sandbox import oauth, serializers
from coursehub.sandbox.academy import Course
from coursehub.sandbox.http import Answer, Call, Refused, json_answer
from coursehub.sandbox.rosters import BY_TIME
from coursehub.sandbox.sandbox import RESET_PARTS, Sandbox
from coursehub.sandbox.seeding import person
from coursehub.sandbox.switches import BadSwitch, Switches, meanings
from coursehub.sandbox.tokens import token_id

PREFIX = "/_sandbox/"
PAGE = Path(__file__).with_name("page.html")
MOST_LEARNERS, MOST_COURSES = 100_000, 1_000


class BadRequest(Exception):
    """What the caller got wrong, for people."""


def answer(sandbox: Sandbox, call: Call) -> Answer:
    """Carry out one control call: 200, or 400/404 with {"error": text} and nothing changed."""
    act = ENDPOINTS.get((call.method, call.path.removeprefix(PREFIX)))
    if act is None:
        return json_answer({"error": "No such control path."}, 404)
    try:
        result = act(sandbox, call)
    except (BadRequest, BadSwitch) as error:
        return json_answer({"error": str(error)}, 400)
    except Exception:
        sandbox.recover()
        return json_answer({"error": "The sandbox failed; nothing was changed."}, 500)
    return result if isinstance(result, Answer) else json_answer(result)


def show_page(sandbox: Sandbox, call: Call) -> Answer:
    """The page for a person; it lives off the JSON below."""
    return Answer(200, PAGE.read_bytes(), "text/html; charset=utf-8")


def show_switches(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """{name: value}; with ?meanings=true {name: {"value", "default", "meaning"}}."""
    values = sandbox.switches.values()
    if call.query().get("meanings") != "true":
        return values
    return {name: {"value": values[name], **about} for name, about in meanings().items()}


def change_switches(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Set the switches in the body; all switches come back."""
    with sandbox.journal.transaction():
        sandbox.set_switches(_body(call))
    sandbox.rosters.forget()
    return sandbox.switches.values()


def reset(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """{"only": [parts], "seed": n, "learners_per_course": n, "courses": n}: back to the first day."""
    body = _body(call)
    parts = body.get("only", list(RESET_PARTS))
    if not isinstance(parts, list) or not set(map(str, parts)) <= set(RESET_PARTS):
        raise BadRequest(f"`only` is a list out of {', '.join(RESET_PARTS)}.")
    seed = _whole(body, "seed", sandbox.academy.seed)
    count = _whole(body, "learners_per_course", -1, most=MOST_LEARNERS)
    courses = _whole(body, "courses", -1, most=MOST_COURSES)
    sandbox.reset(tuple(parts), seed, None if count < 0 else count, None if courses < 0 else courses)
    return {"reset": parts}


def change_clock(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """{"advance_seconds": n} jumps ahead, {"speed": f} runs the server's clock at f."""
    body = _body(call)
    values = {key: body[key] for key in ("advance_seconds", "speed") if key in body}
    if any(type(value) not in (int, float) or not 0 <= value <= 1e9 for value in values.values()):
        raise BadRequest("advance_seconds and speed are numbers from 0.")
    with sandbox.journal.transaction():
        if "speed" in values:
            sandbox.clock.run_at(values["speed"])
        sandbox.clock.advance(values.get("advance_seconds", 0))
    sandbox.rosters.forget()
    return {"now_ms": sandbox.clock.now_ms(), "speed": sandbox.clock.speed}


def change_learners(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """{"course", "count"} makes members; {"course", "email", "percent"} puts one (made if need be) at a percentage."""
    body = _body(call)
    course = sandbox.academy.courses.get(str(body.get("course", "")))
    if course is None:
        raise BadRequest("`course` is not the id of a course.")
    with sandbox.journal.transaction():
        emails = _pin(sandbox, course, body) if "email" in body else _make(sandbox, course, body)
    sandbox.rosters.forget()
    return {"course": course.id, "emails": emails}


def show_learners(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """?course=, ?limit= (none): its members as the API would list them, newest change first."""
    course = sandbox.academy.courses.get(call.query().get("course", ""))
    if course is None:
        raise BadRequest("`course` is not the id of a course.")
    pairs = sandbox.rosters.of(course, call.at_ms).ordered(BY_TIME, Switches())
    found = pairs[: _number(call, "limit", len(pairs))]
    return {
        "learners": [serializers.member_row(member, standing, sandbox.org_id, 0, True) for member, standing in found]
    }


def make_code(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """{"scope"} -> {"code"}: what the API console's Generate Code does for a self client."""
    scope = _body(call).get("scope")
    if not isinstance(scope, str) or not oauth.valid_scope(scope):
        raise BadRequest("`scope` is a list such as TrainerCentral.courseapi.READ,TrainerCentral.userapi.CREATE.")
    with sandbox.journal.transaction():
        code = sandbox.tokens.issue_code(
            scope=scope, redirect_uri="", offline=True, switches=sandbox.switches, now_ms=call.at_ms
        )
    return {"code": code}


def show_counters(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Calls by endpoint and by status, refreshes by token id; `posts`: every learner for whom an invitation was
    posted, `invitations`: those of whom one was acted upon (`count` times).
    """
    counters = sandbox.counters
    keys = counters.posts | counters.invitations
    posts = [
        {
            "course": key[0],
            "email": key[1],
            "count": counters.invitations.get(key, 0),
            "posted": counters.posts.get(key, 0),
        }
        for key in keys
    ]
    refreshes = {token_id(token.digest): token.uses for token in sandbox.tokens.refresh_tokens.values()}
    totals = {"by_endpoint": counters.by_endpoint, "by_status": counters.by_status}
    invitations = [row for row in posts if row["count"]]
    return {**totals, "invitations": invitations, "posts": posts, "refreshes": refreshes}


def show_calls(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """The call log: the newest ?limit= (100), or the first after number ?after=; status 0 got no answer."""
    return {"calls": sandbox.counters.recent_calls(_number(call, "after", -1), _number(call, "limit", 100))}


def show_state(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """The academy at a glance."""
    tokens = [
        {
            **{"id": token_id(token.digest), "uses": token.uses, "created_ms": token.created_ms},
            **{"live_access_tokens": sandbox.tokens.live_count(token, call.at_ms), "scope": token.scope},
        }
        for token in sandbox.tokens.refresh_tokens.values()
    ]
    clock = {"now_ms": call.at_ms, "speed": sandbox.clock.speed, "progress_speed": sandbox.switches.progress_speed}
    courses = [_course_at_a_glance(sandbox, course, call.at_ms) for course in sandbox.academy.courses.values()]
    totals = {"learners": len(sandbox.academy.learners), "calls": sum(sandbox.counters.by_endpoint.values())}
    mails = sandbox.counters.recent_invitations(50)
    ids = {"org_id": sandbox.org_id, "seed": sandbox.academy.seed, "client_id": sandbox.switches.client_id}
    return {**ids, **clock, **totals, "courses": courses, "tokens": tokens, "mails": mails}


def _course_at_a_glance(sandbox: Sandbox, course: Course, now_ms: int) -> dict[str, Any]:
    roster = sandbox.rosters.of(course, now_ms)
    percents = [standing.percent for _, standing in roster.pairs]
    return {
        **{"id": course.id, "name": course.name, "lessons": course.lessons, "learners": len(percents)},
        "pending": roster.pending,
        "finished": percents.count(100),
        "average_percent": round(sum(percents) / len(percents), 1) if percents else 0,
    }


def _make(sandbox: Sandbox, course: Course, body: dict[str, Any]) -> list[str]:
    count, now_ms = _whole(body, "count", 1, most=MOST_LEARNERS), sandbox.clock.now_ms()
    # Numbers apart from those of the first day, and never the same person twice in a course.
    first = 1000 + len(sandbox.academy.learners)
    emails = []
    for number in range(first, first + count):
        made = person(sandbox.academy.seed, number)
        learner = sandbox.academy.find_or_add_learner(made.email, made.first_name, made.last_name, now_ms)
        if made.email not in course.members:
            sandbox.academy.add_member(course, learner, now_ms)
            emails.append(made.email)
    return emails


def _pin(sandbox: Sandbox, course: Course, body: dict[str, Any]) -> list[str]:
    email, percent, now_ms = body["email"], _whole(body, "percent", 0, most=100), sandbox.clock.now_ms()
    if not isinstance(email, str) or "@" not in email:
        raise BadRequest("`email` is not an address.")
    first_name = email.partition("@")[0]
    learner = sandbox.academy.find_or_add_learner(email, first_name, "Learner", now_ms)
    member = course.members.get(email.lower()) or sandbox.academy.add_member(course, learner, now_ms)
    sandbox.academy.pin(member, percent, now_ms)
    return [learner.email]


def _body(call: Call) -> dict[str, Any]:
    if not call.body:
        return {}
    try:
        return call.json_object()
    except Refused as error:
        raise BadRequest(error.message) from error


def _number(call: Call, key: str, default: int) -> int:
    text = call.query().get(key, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise BadRequest(f"`{key}` is a whole number.")
    return int(text) if text else default


def _whole(body: dict[str, Any], key: str, default: int, most: int = 2**31) -> int:
    value: int = body.get(key, default)
    if key in body and (type(value) is not int or not 0 <= value <= most):
        raise BadRequest(f"`{key}` is a whole number from 0 to {most}.")
    return value


ENDPOINTS: dict[tuple[str, str], Callable[[Sandbox, Call], Answer | dict[str, Any]]] = {
    ("GET", ""): show_page,
    ("GET", "switches.json"): show_switches,
    ("PATCH", "switches.json"): change_switches,
    ("POST", "reset.json"): reset,
    ("POST", "clock.json"): change_clock,
    ("GET", "learners.json"): show_learners,
    ("POST", "learners.json"): change_learners,
    ("POST", "code.json"): make_code,
    ("GET", "counters.json"): show_counters,
    ("GET", "calls.json"): show_calls,
    ("GET", "state.json"): show_state,
}
