"""Whatever a server sends, the client raises nothing outside its tree."""

import json
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursehub.trainercentral import ZohoAccounts, errors
from tests.coursehub.trainercentral.scripted import TOKEN, Play, client_of

KEYS = st.sampled_from(
    [
        *("courses", "course", "courseMembers", "courseMember", "portalMember", "meta", "error", "errors", "errorCode"),
        *("code", "title", "message", "status", "id", "time", "email", "role", "completionPercentage"),
        *("totalCourseCount", "access_token", "refresh_token", "expires_in", "expires_in_sec"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["-1", "1e999999", "INVALID_OAUTHTOKEN", "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", TOKEN, "3"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()[:-3]),
    st.sampled_from([b"9" * 10_000, b'{"courses":[{"id":1e999999999}]}', b"\xef\xbb\xbf{}"]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Content-Type", "Content-Encoding", "X-Other"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
    | st.sampled_from(["gzip", "deflate", "Wed, 21 Oct 2099 07:28:00 GMT", "-0", "1e309"]),
    max_size=3,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 408, 429, 500, 503, 599])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=STATUSES, body=BODIES, headers=HEADERS, truncate=st.booleans())
def test_no_answer_raises_outside_the_tree(script, status, body, headers, truncate):
    script.play(Play(status, body, headers, truncate=truncate and status not in (204, 304)))
    client, accounts = client_of(script), ZohoAccounts(script.url, "id", "secret", read_timeout_seconds=0.5)
    calls = (
        client.list_courses,
        lambda: client.get_course("1"),
        lambda: list(client.iter_course_members("1")),
        lambda: client.invite(course_id="1", email="a@example.org", first_name="A", last_name="B"),
        lambda: client.find_learner("a@example.org"),
        lambda: client.revoke_access("1"),
        lambda: client.test_report("1", "2"),
        lambda: accounts.refresh("1000.r"),
        lambda: accounts.exchange_code("1000.c"),
        lambda: accounts.revoke("1000.r"),
    )
    for call in calls:
        with suppress(errors.TrainerCentralError):
            call()
    client.close()
    accounts.close()
