"""The objects in TrainerCentral's answers: every scalar a string, as documented."""

from dataclasses import replace
from typing import Any

from coursehub.sandbox.academy import PENDING, Course, Learner, Member, Standing
from coursehub.sandbox.simulation import chance
from coursehub.sandbox.switches import Switches

LINKS = (
    *("sessions", "sections", "sessionInfos", "tests", "assignments", "certificates", "coupons", "drips"),
    *("reviews", "site", "siteSettings", "tickets", "paymentPortals"),
)
COURSE_FLAGS = {
    **dict.fromkeys(("isPrivateCourse", "enableReview", "isSubsiteCreated", "isSubsitePublished"), "true"),
    **dict.fromkeys(
        (
            *("isHiddenCourse", "isFeaturedCourse", "isPaidActiveTicketAvailable", "canNonLoginUserAccess"),
            *("mandateLessonOrder", "excludeLiveLessonsInMandation", "excludeLiveLessonsInCompletion"),
            *("includeAllRecurringTalkInMandation", "estimatedDurationEnabled", "testCompletionEnabled"),
            *("materialCompletionEnabled", "recordingCompletionEnabled"),
        ),
        "false",
    ),
}
TRAINER_ID = "3000094000000000019"
FIRST_BUNDLE_ID = 3000094000009000001
TRAINER = {"name": "Robin Trainer", "email": "robin.trainer@example.org"}


def shifted(time_ms: int, skew_seconds: int) -> str:
    """A time as an answer gives it."""
    return str(time_ms + skew_seconds * 1000)


def shown(switches: Switches, standing: Standing) -> Standing:
    """As answers give it: nobody has documented the status of a learner who has not accepted yet."""
    if standing.status != PENDING or switches.pending_status == PENDING:
        return standing
    return replace(standing, status=switches.pending_status)


def portal_row(org_id: str, origin: str) -> dict[str, str]:
    """The academy itself."""
    flags = {"isTrial": "false", "isDefault": "true", "isLogoExists": "false", "orgLogoUrl": ""}
    ids = {"id": org_id, "zsoid": org_id, "createdBy": TRAINER_ID, "createdTime": "1502194325666"}
    names = {"portalName": "Sandbox Academy", "url": origin, "planName": "Professional"}
    return {**ids, **names, **flags, "referrer": "1", "currentUserRole": "0"}


def course_row(course: Course, org_id: str, origin: str) -> dict[str, Any]:
    """A course as `courses.json` lists it."""
    slug = course.name.lower().replace(" ", "-")
    base = f"/api/v4/{org_id}/course/{course.id}"
    numbers = {"type": "0", "kind": "0", "publishStatus": "1", "scheduleType": "0", "scheduledTime": "-1"}
    money = {"totalRating": "0", "totalRevenue": "0.00", "formattedTotalRevenue": "$0.00"}
    return {
        **{
            "id": course.id,
            "courseId": course.id,
            "orgId": org_id,
            "uniqueKey": slug,
            "descriptionId": course.id[::-1],
        },
        **{"courseName": course.name, "subTitle": course.subtitle, "description": f"<p>{course.subtitle}.</p>"},
        **{"courseURL": f"{origin}/course/{slug}", "customRegistrationFormId": "-1"},
        **{**numbers, "durationType": "0", "durationValue": "0", "enrolledCount": str(len(course.members))},
        **{**money, **COURSE_FLAGS, "materialCompletionPercentage": "100", "recordingCompletionPercentage": "100"},
        **{"currentUserId": TRAINER_ID, "createdBy": TRAINER_ID, "lastUpdatedBy": TRAINER_ID},
        **{"lastUpdatedTime": str(course.created_ms), "time": str(course.created_ms)},
        "links": {link: f"{base}/{link}.json" for link in LINKS},
    }


def bundle_rows(like: Course, org_id: str, origin: str, count: int) -> list[dict[str, Any]]:
    """Bundles as `courses.json` lists them, among the courses; nobody is a member of one."""
    plain = course_row(like, org_id, origin)
    return [
        plain
        | {"type": "1", "id": str(number), "courseId": str(number), "courseName": f"Starter bundle {number % 100}"}
        for number in range(FIRST_BUNDLE_ID, FIRST_BUNDLE_ID + count)
    ]


def member_row(member: Member, standing: Standing, org_id: str, skew_seconds: int, time_moves: bool) -> dict[str, str]:
    """A member as `courseMembers.json` lists it; what never happened is missing."""
    course, learner = member.course, member.learner
    row = {
        **{"id": member.id, "courseMembersId": member.id, "course": course.id, "courseId": course.id, "orgId": org_id},
        **{"orgMemberId": learner.id, "userId": learner.id, "name": learner.name, "email": learner.email},
        **{"imageUrl": "", "country": "", "ipAddress": "", "role": "3", "status": standing.status},
        "completionPercentage": str(standing.percent),
        "completedLesson": str(standing.percent * course.lessons // 100),
        "totalLesson": str(course.lessons),
        "enrolledTime": shifted(member.invited_ms, skew_seconds),
        "time": shifted(standing.time_ms(time_moves), skew_seconds),
        **{"totalRevenue": "0.00", "formattedTotalRevenue": "$0.00"},
    }
    if standing.last_login_ms:
        row["lastLogin"] = shifted(standing.last_login_ms, skew_seconds)
    if standing.percent == 100:
        row["completedTime"] = shifted(standing.changed_ms, skew_seconds)
    return row


def trainer_row(course: Course, org_id: str) -> dict[str, str]:
    """The trainer, who is among the members unless learners alone are asked for."""
    return {
        **{"id": course.id[:-3] + "900", "courseMembersId": course.id[:-3] + "900", "orgId": org_id, **TRAINER},
        **{"course": course.id, "courseId": course.id, "orgMemberId": TRAINER_ID, "userId": TRAINER_ID},
        **{"role": "1", "status": "50", "enrolledTime": str(course.created_ms), "time": str(course.created_ms)},
        **{"completionPercentage": "0", "completedLesson": "0", "totalLesson": str(course.lessons)},
    }


def invited_member_row(member: Member, standing: Standing, org_id: str, skew_seconds: int) -> dict[str, str]:
    """A member as the answer to an invitation gives it."""
    return {
        **{"id": member.id, "courseMembersId": member.id, "courseId": member.course.id, "orgId": org_id},
        **{"orgMemberId": member.learner.id, "role": "3", "status": standing.status, "currentStatus": standing.status},
        "completionPercentage": str(standing.percent),
        "invitedTime": shifted(member.invited_ms, skew_seconds),
        "time": shifted(standing.changed_ms, skew_seconds),
    }


def invited_learner_row(learner: Learner, org_id: str, skew_seconds: int) -> dict[str, Any]:
    """A learner as the answer to an invitation gives it."""
    joined = shifted(learner.joined_ms, skew_seconds)
    listed = learner_row(learner, org_id, skew_seconds)
    del listed["noofLogin"]
    return {
        **listed,
        **{"emailId": learner.email, "firstName": learner.first_name, "lastName": learner.last_name},
        **{"invitedBy": TRAINER_ID, "lastUpdatedTime": joined},
    }


def learner_row(learner: Learner, org_id: str, skew_seconds: int) -> dict[str, Any]:
    """A learner as `portalMembers.json` lists them."""
    base = f"/api/v4/{org_id}/portalMember/{learner.id}"
    return {
        **{"id": learner.id, "orgMemberId": learner.id, "orgId": org_id, "email": learner.email, "name": learner.name},
        **{"role": "5", "status": "1", "loginType": "1", "noofLogin": "0"},
        "time": shifted(learner.joined_ms, skew_seconds),
        "links": {"enrolledCourses": f"{base}/courses.json", "enrolledSessions": f"{base}/sessions.json"},
    }


def user_details_row(learner: Learner, with_signup_data: bool) -> dict[str, Any]:
    """A learner as `fetchuserdetails.json` gives them."""
    row: dict[str, Any] = {
        **{"email": learner.email, "emailId": learner.email, "orgMemberId": learner.id, "status": "1"},
        **{"firstName": learner.first_name, "lastName": learner.last_name},
        **{"userFirstName": learner.first_name, "userLastName": learner.last_name},
    }
    if with_signup_data:
        row["signupData"] = {"country": "", "phone": ""}
    return row


def engagement_rows(member: Member, standing: Standing) -> list[dict[str, str]]:
    """What the member did in each lesson begun; the vendor shows no sample of this answer."""
    lessons = member.course.lessons
    rows = []
    for number in range(1, lessons + 1):
        percent = min(100, max(0, standing.percent * lessons - (number - 1) * 100))
        if percent:
            minutes = chance("minutes", member.id, number).randint(4, 45)
            ids = {"sessionId": str(int(member.course.id) + number * 10**9), "sessionName": f"Lesson {number}"}
            times = {"timeSpent": str(minutes * 60_000), "lastAccessedTime": str(standing.changed_ms)}
            rows.append({**ids, "completionPercentage": str(percent), **times})
    return rows


def rows_of_tests(member: Member, standing: Standing) -> list[dict[str, str]]:
    """Tests taken, one per finished quarter; one in five is failed at first."""
    rows = []
    for quarter in range(1, standing.percent // 25 + 1):
        dice = chance("test", member.id, quarter)
        failed = dice.random() < 0.2
        score = dice.randint(20, 49) if failed else dice.randint(55, 100)
        ids = {"testId": str(int(member.course.id) + quarter * 10**10), "testName": f"Test {quarter}"}
        result = {"score": str(score), "totalScore": "100", "attempts": "1", "status": "2" if failed else "1"}
        rows.append({**ids, **result, "submittedTime": str(standing.changed_ms)})
    return rows
