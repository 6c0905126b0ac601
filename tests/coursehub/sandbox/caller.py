"""Plain HTTP calls to a sandbox, without the product's client."""

from typing import Any

import requests

from coursehub.sandbox.process import SandboxProcess

CLIENT = {"client_id": "1000.SANDBOX", "client_secret": "sandbox-client-secret"}
ALL_SCOPES = ",".join(f"TrainerCentral.{api}.ALL" for api in ("portalapi", "courseapi", "userapi", "presenterapi"))
ORG_ID = "700000804"


def ask_token(sandbox: SandboxProcess, **parameters: str) -> requests.Response:
    """POST the token endpoint; the client's id and secret are added unless given."""
    return requests.post(f"{sandbox.url}/oauth/v2/token", data={**CLIENT, **parameters}, timeout=10)


def exchange(sandbox: SandboxProcess, scope: str = ALL_SCOPES) -> dict[str, Any]:
    """The answer to a self client's code."""
    code = sandbox.self_client_code(scope)
    return ask_token(sandbox, grant_type="authorization_code", code=code).json()


def refresh(sandbox: SandboxProcess, refresh_token: str) -> requests.Response:
    """Ask for a new access token."""
    return ask_token(sandbox, grant_type="refresh_token", refresh_token=refresh_token)


class Caller:
    """One access token and the calls made with it."""

    def __init__(self, sandbox: SandboxProcess, scope: str = ALL_SCOPES) -> None:
        self.sandbox = sandbox
        self.tokens = exchange(sandbox, scope)
        self.access_token = self.tokens["access_token"]

    def call(self, method: str, path: str, *, org_id: str = ORG_ID, **details: Any) -> requests.Response:
        """Call a path below /api/v4/<orgId>/."""
        details.setdefault("headers", {"Authorization": f"Zoho-oauthtoken {self.access_token}"})
        url = f"{self.sandbox.url}/api/v4/{org_id}/{path}"
        return requests.request(method, url, timeout=details.pop("timeout", 10), **details)

    def get(self, path: str, **query: Any) -> requests.Response:
        """GET with query parameters."""
        return self.call("GET", path, params=query)

    def course_ids(self) -> list[str]:
        """All courses' ids."""
        return [course["id"] for course in self.get("courses.json").json()["courses"]]

    def invite(self, email: str, course_id: str | None = None, **more: Any) -> requests.Response:
        """Invite to a course, or to the academy alone."""
        attendee = {"email": email, "firstName": "Ada", "lastName": "Byron", **more}
        if course_id:
            attendee["courseId"] = course_id
        return self.call("POST", "addCourseAttendee.json", json={"courseAttendee": attendee})

    def members(self, course_id: str, **query: Any) -> list[dict[str, str]]:
        """Members of a course, learners alone, up to 1,000."""
        query = {"filter": 3, "limit": 1000, **query}
        return self.get(f"course/{course_id}/courseMembers.json", **query).json()["courseMembers"]


def code_of(response: requests.Response) -> str:
    """The error code in the default envelope."""
    return response.json()["errors"][0]["errorCode"]
