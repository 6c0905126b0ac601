"""Every behaviour of the sandbox that somebody may want otherwise, in one table.

Defaults are what the vendor documents; where nothing is documented, the kindest answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

FAULTS = (
    "500",
    "502",
    "503",
    "html",
    "empty",
    "truncated",
    "reset",
    "reset_after_acting",
    "timeout",
    "timeout_after_acting",
    "late",
)
ENVELOPES = ("default", "mail", "projects", "crm", "array", "ok200")
INVITED_SHAPES = (
    *("standard", "list", "object", "data", "courseMembers", "address", "status_only", "no_content", "empty"),
    *("portal_only", "empty_list", "unknown_code", "error_code_2xx", "failed", "redirect", "html200", "cut_off"),
    *("known_code_500", "st_01_500", "unknown_code_500", "html502", "empty503", "conflict", "timeout408"),
)
UNAUTHORISED_STYLES = ("code", "bare", "html", "invalid_token", "authentication_failure", "400", "in200")
_ANSWER_KEYS = {"status", "headers", "body", "acts", "for", "times", "fault"}


class BadSwitch(ValueError):
    """No such switch, or not a value for it; the text is for people."""


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _signed(value: Any) -> bool:
    return type(value) is int


def _number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _ratio(value: Any) -> bool:
    return _number(value) and value <= 1


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _one_of(*options: str) -> Callable[[Any], bool]:
    return lambda value: value in options


def _latency(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and all(map(_number, value)) and value[0] <= value[1]
    return _number(value)


def _fault_script(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and set(entry) <= {"path_contains", "times", "fault"}
        and entry.get("fault") in FAULTS
        and _whole(entry.get("times", 1))
        and isinstance(entry.get("path_contains", ""), str)
        for entry in value
    )


def _answers(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and set(entry) <= _ANSWER_KEYS
        and type(entry.get("status", 200)) is int
        and 200 <= entry.get("status", 200) <= 599
        and isinstance(entry.get("headers", {}), dict)
        and all(isinstance(text, str) for text in entry.get("headers", {}).values())
        and _boolean(entry.get("acts", False))
        and isinstance(entry.get("for", ""), str)
        and _whole(entry.get("times", 1))
        and entry.get("fault", "") in ("", "reset", "timeout", "truncated")
        for entry in value
    )


def _switch(default: Any, accepts: Callable[[Any], bool], meaning: str) -> Any:
    return field(default=default, metadata={"accepts": accepts, "meaning": meaning})


FAIL_NEXT = {
    "accepts": _fault_script,
    "meaning": f'Scripted faults [{{"path_contains", "times", "fault"}}]; fault is one of {", ".join(FAULTS)}',
}


ANSWERS = {
    "accepts": _answers,
    "meaning": 'Scripted answers to invitations [{"status", "headers", "body", "acts", "for", "times", "fault"}]: the '
    "first whose `for` (a pattern such as *@a.example.org; missing: everybody) fits, `times` times (missing: always); "
    "`body` is JSON or a text, with {email}, {course_id}, {member_id}, {org_member_id} filled in; `acts`: the learner "
    "is invited nevertheless; `fault`: reset, timeout or truncated",
}
FORBIDDEN_LEARNERS = {"accepts": _texts, "meaning": "Patterns of addresses whose invitation gets 403 UNAUTHORISED"}
REDIRECT_URIS = {"accepts": _texts, "meaning": "Redirect addresses that the client has registered (empty: any)"}


@dataclass
class Switches:
    """The present value of every switch; the field's metadata carries meaning and validity."""

    # Tokens
    client_id: str = _switch("1000.SANDBOX", _text, "The one registered OAuth client")
    client_secret: str = _switch("sandbox-client-secret", _text, "Its secret")
    redirect_uris: list[str] = field(default_factory=list, metadata=REDIRECT_URIS)
    another_data_centre: bool = _switch(False, _boolean, "The client belongs elsewhere: token calls get invalid_client")
    location: str = _switch("us", _text, "The data centre that the consent's redirect names")
    access_token_seconds: int = _switch(3600, _whole, "Life of an access token")
    access_token_dies_after_seconds: int = _switch(
        0, _whole, "An access token ends so long after it was made, whatever life it was given (0: never)"
    )
    expires_in_style: str = _switch(
        "seconds", _one_of("seconds", "legacy"), "legacy: expires_in in ms, with expires_in_sec beside it"
    )
    mints_per_10_minutes: int = _switch(10, _whole, "Access tokens per refresh token and 10 minutes (0: no limit)")
    client_mints_per_10_minutes: int = _switch(
        0, _whole, "Access tokens by client credentials and 10 minutes (0: no limit)"
    )
    mint_throttle_status: str = _switch("400", _one_of("400", "200"), "HTTP status of the answer to one mint too many")
    stored_refresh_tokens: int = _switch(20, _whole, "Refresh tokens kept (0: no limit)")
    one_refresh_token_too_many: str = _switch(
        "ends_oldest", _one_of("ends_oldest", "refused"), "What happens when one more is asked for"
    )
    live_access_tokens: int = _switch(10, _whole, "Live access tokens per refresh token; one more ends the oldest")
    max_uses_per_refresh_token: int = _switch(0, _whole, "Refreshes one refresh token is good for (0: no limit)")
    codes_per_10_minutes: int = _switch(0, _whole, "Authorization codes per 10 minutes (0: no limit)")
    web_code_seconds: int = _switch(120, _whole, "Life of a code given to a browser")
    self_client_code_seconds: int = _switch(180, _whole, "Life of a self client's code")
    # Pace
    calls_per_minute: int = _switch(30, _whole, "API calls per minute and path (0: no limit)")
    lockout_seconds: int = _switch(300, _whole, "How long a path stays locked after too many calls")
    lockout_prolongs: bool = _switch(False, _boolean, "A call during the lock starts the lock anew")
    rate_limit_style: str = _switch("400", _one_of("400", "429"), "429 adds Retry-After")
    retry_after_style: str = _switch(
        "seconds",
        _one_of("seconds", "date", "past", "absurd", "constant", "none"),
        "What that header says; constant: always 1 s",
    )
    date_skew_seconds: int = _switch(0, _signed, "How far the clock behind `Date` and dates in Retry-After is off")
    # Answers nobody has documented
    error_envelope: str = _switch("default", _one_of(*ENVELOPES), "The JSON around an API error")
    error_status_style: str = _switch(
        "filter", _one_of("filter", "showtime500"), "showtime500: refusals of the product itself come with HTTP 500"
    )
    unauthorised_style: str = _switch("code", _one_of(*UNAUTHORISED_STYLES), "Answer to a token that is not valid")
    invited_status: str = _switch("200", _one_of("200", "201"), "HTTP status of an invitation that was taken")
    invited_shape: str = _switch(
        "standard", _one_of(*INVITED_SHAPES), f"Answer to an invitation that was taken: {', '.join(INVITED_SHAPES)}"
    )
    invited_acts: bool = _switch(True, _boolean, "Whether an invitation so answered has invited anybody")
    invitation_answers: list[dict[str, Any]] = field(default_factory=list, metadata=ANSWERS)
    forbidden_learners: list[str] = field(default_factory=list, metadata=FORBIDDEN_LEARNERS)
    pending_status: str = _switch("0", _text, "`status` of a learner who has not accepted yet")
    already_enrolled: str = _switch("ok", _one_of("ok", "error"), "Answer to a second invitation")
    revoked_reinvited: str = _switch(
        "ok", _one_of("ok", "error"), "Answer to inviting somebody whose access was revoked"
    )
    unknown_course: str = _switch(
        "404",
        _one_of("404", "400", "silent", "showtime500"),
        "Inviting to an unknown course; silent: academy only, no error; showtime500: HTTP 500 with ST_94",
    )
    invalid_email: str = _switch("code", _one_of("code", "pattern"), "Answer to a malformed address")
    unknown_learner: str = _switch("empty", _one_of("empty", "404"), "Answer to an address that no learner has")
    learner_wrapper: str = _switch("userDetails", _text, "The key around the learner whom an address finds")
    last_name_required: bool = _switch(
        True, _boolean, "An invitation without lastName, or with an empty one, is refused"
    )
    learner_limit: int = _switch(0, _whole, "More academy learners than this are refused (0: no limit)")
    # Lists
    bundles: int = _switch(0, _whole, "So many bundles of courses (type 1) are listed behind the courses")
    unpublished_courses: int = _switch(0, _whole, "So many of the last courses are not published")
    limit_cap: int = _switch(0, _whole, "Silent cap on `limit` (0: none)")
    si_ignored: bool = _switch(False, _boolean, "Every page of a list begins with its first row, whatever `si` says")
    pending_listed: bool = _switch(True, _boolean, "Learners who have not accepted yet are among a course's members")
    revoked_listed: bool = _switch(True, _boolean, "Learners whose access was revoked are among a course's members")
    percent_style: str = _switch(
        "whole",
        _one_of("whole", "number", "decimal", "comma", "sign", "fraction", "null", "words"),
        'A percentage of 42: "42", 42, "42.00", "42,00", "42%", "0.42", null, "n/a"',
    )
    time_style: str = _switch(
        "ms",
        _one_of("ms", "number", "seconds", "iso", "words"),
        "Times: text or number of ms, seconds, ISO 8601, no time",
    )
    id_style: str = _switch(
        "text", _one_of("text", "number"), "Ids of members, learners and courses in lists of members"
    )
    sort_1_order: str = _switch("newest", _one_of("newest", "oldest"), "Direction of sort=1 (by time)")
    time_moves_with_progress: bool = _switch(True, _boolean, "A member's `time` moves with each step of progress")
    page_shift: int = _switch(0, _signed, "Rows the list moves between pages: negative repeats, positive skips")
    clock_skew_seconds: int = _switch(0, _signed, "How far the times in answers are off")
    # Weather
    latency_ms: float | list[float] = _switch(0, _latency, "Delay of every call: a number, or [least, most]")  # noqa: RUF009
    error_5xx_ratio: float = _switch(0.0, _ratio, "Share of calls that end in a 500 before they act")
    reset_ratio: float = _switch(0.0, _ratio, "Share of calls whose connection is reset before they act")
    lost_answer_ratio: float = _switch(0.0, _ratio, "Share of calls that act and whose connection is then reset")
    hold_seconds: float = _switch(60.0, _number, "How long a timed-out call is held before the connection ends")
    late_seconds: float = _switch(20.0, _number, "The fault `late`: how long the server waits before it acts")
    fail_next: list[dict[str, Any]] = field(default_factory=list, metadata=FAIL_NEXT)
    # Learners
    progress_speed: float = _switch(1.0, _number, "How fast learners live; at 1 a course takes weeks, 0 stops them")

    def changed(self, values: Mapping[str, Any]) -> "Switches":
        """A copy with `values` set. Raises BadSwitch, which names the switch and never the value."""
        known = {row.name: row for row in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise BadSwitch(f"There is no switch {name!r}.")
            if not known[name].metadata["accepts"](value):
                raise BadSwitch(f"That is no value for {name}: {known[name].metadata['meaning']}.")
        return replace(self, **values)

    def values(self) -> dict[str, Any]:
        """Name -> value, in the table's order."""
        return {row.name: getattr(self, row.name) for row in fields(self)}


def meanings() -> dict[str, dict[str, Any]]:
    """Name -> {"default", "meaning"}, in the table's order."""
    defaults = Switches().values()
    return {row.name: {"default": defaults[row.name], "meaning": row.metadata["meaning"]} for row in fields(Switches)}
