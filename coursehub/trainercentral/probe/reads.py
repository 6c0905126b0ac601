"""What this client assumes of an academy, tried out on a real one: the checks that only read."""

from collections.abc import Callable
from urllib.parse import quote

from coursehub.trainercentral import errors, lenient_values
from coursehub.trainercentral.probe.calls import LARGE_PAGE, Finding, Probe
from coursehub.trainercentral.records import LEARNER_ROLE
from coursehub.trainercentral.responses import Answer

_NO_TOKEN = f"1000.{'0' * 32}.{'0' * 32}"  # of the right form, and nobody's
_DEFAULT_PAGE = 20
_NOBODY = "nobody.at.all@example.org"


def org_id(probe: Probe) -> Finding:
    """The configured organisation is one of the account's."""
    portals = probe.rows("/org/portals.json", "portals")
    ids = [lenient_values.first(row, "id", "zsoid") for row in portals]
    held = probe.org_id in ids
    settings = {} if held or not ids else {"TRAINERCENTRAL_ORG_ID": ids[0]}
    assumption = "The account behind the token may use the configured organisation."
    return Finding("org_id", assumption, held, f"organisations {', '.join(ids) or 'none'}", settings)


def token_rejected(probe: Probe) -> Finding:
    """A token that is not valid is told apart from a missing scope."""
    answer, error = probe.ask("GET", "/courses.json", token=_NO_TOKEN, expects=("courses",))
    envelope = _envelope(answer)
    switches = {"error_envelope": envelope} if envelope not in ("default", "unknown") else {}
    seen = f"{error.detail if error else 'taken'} (envelope {envelope})"
    held = isinstance(error, errors.TokenRejected)
    facts = {} if envelope == "unknown" else {"error_envelope": envelope}
    return Finding("token_rejected", "A token that is not valid is answered as such.", held, seen, {}, switches, facts)


def _envelope(answer: Answer) -> str:
    body = answer.json
    if isinstance(body, list):
        return "array"
    if not isinstance(body, dict):
        return "unknown"
    if isinstance(body.get("error"), dict):
        return "ok200" if answer.status == 200 else "projects"
    return next(
        (name for key, name in (("errors", "default"), ("data", "mail"), ("code", "crm")) if key in body), "unknown"
    )


def one_course(probe: Probe) -> Finding:
    """The call for a single course, which the vendor's list of calls lacks."""
    _, error = probe.ask("GET", f"/courses/{probe.course_id()}.json", expects=("course",))
    return Finding("one_course", "A single course can be asked for.", error is None, error.detail if error else "yes")


def totals(probe: Probe) -> Finding:
    """Which totals come with lists; the client trusts none of a course's members."""
    keys = {}
    for name, path, query in (
        ("courseMembers", f"/course/{probe.course_id()}/courseMembers.json", {"filter": LEARNER_ROLE}),
        ("portalMembers", "/portalMembers.json", {"type": 5}),
    ):
        answer, error = probe.ask("GET", path, expects=(name,), params={**query, "limit": 1, "si": 0})
        if error is not None:
            raise error
        meta = answer.json.get("meta")
        keys[name] = sorted(meta) if isinstance(meta, dict) else []
    seen = "; ".join(f"{name}: {', '.join(found) or 'no keys'}" for name, found in keys.items())
    return Finding(
        "totals", "Lists of members say how many await access.", "prospectMembersCount" in keys["courseMembers"], seen
    )


def page_limit(probe: Probe) -> Finding:
    """Whether a large `limit` is honoured or capped in silence."""
    assumption, rows = f"A `limit` of {LARGE_PAGE} is honoured.", len(probe.members())
    if rows < LARGE_PAGE and probe.members(si=rows):
        facts = {"page_cap": rows, "largest_page": rows}
        return Finding("page_limit", assumption, False, f"capped silently at {rows}", {}, {"limit_cap": rows}, facts)
    seen, facts = f"{rows} rows on one page", {"largest_page": rows} if rows else {}
    return Finding("page_limit", assumption, True if rows > _DEFAULT_PAGE else None, seen, facts=facts)


def sort_by_time(probe: Probe) -> Finding:
    """Which end of `sort=1` comes first."""
    assumption = "With sort=1 the newest change comes first."
    times = [lenient_values.moment_ms(row.get("time")) or 0 for row in probe.members(sort=1)]
    if len(set(times)) < 2:
        return Finding("sort_by_time", assumption, None, f"only {len(times)} learners to compare")
    if times == sorted(times, reverse=True):
        return Finding("sort_by_time", assumption, True, "newest first", facts={"newest_first": True})
    oldest = times == sorted(times)
    switches, facts = ({"sort_1_order": "oldest"} if oldest else {}), {"newest_first": False if oldest else None}
    seen = "oldest first" if oldest else "no order by time"
    return Finding("sort_by_time", assumption, False, seen, {}, switches, facts)


def time_moves(probe: Probe) -> Finding:
    """Whether a member's `time` moves with progress: watched while somebody finishes a lesson."""
    assumption, seconds = "A member's `time` moves with each step of progress.", probe.plan.watch_seconds
    if not seconds:
        return Finding("time_moves", assumption, None, "not watched (--watch-seconds)")
    before = {lenient_values.first(row, "courseMembersId", "id"): row for row in probe.members()}
    probe.plan.sleep(seconds)
    moved = []
    for row in probe.members():
        old = before.get(lenient_values.first(row, "courseMembersId", "id"))
        if old and lenient_values.percent(row.get("completionPercentage")) > lenient_values.percent(
            old.get("completionPercentage")
        ):
            moved.append(
                (lenient_values.moment_ms(row.get("time")) or 0) > (lenient_values.moment_ms(old.get("time")) or 0)
            )
    if not moved:
        return Finding("time_moves", assumption, None, f"nobody progressed within {seconds:g} s")
    switches, facts = (
        ({} if all(moved) else {"time_moves_with_progress": False}),
        {"time_moves_with_progress": all(moved)},
    )
    seen = f"{sum(moved)} of {len(moved)} who progressed"
    return Finding("time_moves", assumption, all(moved), seen, {}, switches, facts)


def reports(probe: Probe) -> Finding:
    """The two reports of one learner, of which no sample is published."""
    assumption, members = "The reports of a learner come under the names of their calls.", probe.members(limit=1)
    if not members:
        return Finding("reports", assumption, None, "the course has no learners")
    member_id, seen, held = quote(lenient_values.first(members[0], "courseMembersId", "id"), safe=""), [], True
    for name in ("courseEngagement", "testReport"):
        path = f"/course/{probe.course_id()}/courseMember/{member_id}/{name}.json"
        answer, error = probe.ask("GET", path, expects=(name,))
        held = held and error is None
        keys = sorted(answer.json) if isinstance(answer.json, dict) else []
        seen.append(f"{name}: {error.detail if error else 'keys ' + ', '.join(keys)}")
    return Finding("reports", assumption, held, "; ".join(seen))


def unknown_learner(probe: Probe) -> Finding:
    """What an address that no learner has gets."""
    answer, error = probe.ask("GET", "/fetchuserdetails.json", params={"email": _NOBODY, "fetchSignupData": "false"})
    switches = {"unknown_learner": "404"} if answer.status == 404 else {}
    seen = error.detail if error else f"HTTP {answer.status}"
    facts = {"unknown_learner": "404" if answer.status == 404 else "empty"} if answer.status in (200, 204, 404) else {}
    assumption = "An unknown address gets an empty answer."
    return Finding("unknown_learner", assumption, error is None, seen, {}, switches, facts)


READING: tuple[Callable[[Probe], Finding], ...] = (
    *(org_id, token_rejected, one_course, totals, page_limit, sort_by_time, time_moves, reports, unknown_learner),
)
