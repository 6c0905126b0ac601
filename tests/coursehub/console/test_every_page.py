"""What every page has, whoever looks at it: a title, one heading, a landmark, a way past the navigation, the source."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines
from django.template.loader import render_to_string
from django.utils import timezone

from coursehub import roles
from coursehub.console import badges, navigation, theme
from coursehub.models import Course, CourseAccess
from invitations.models import Batch, Invitation
from oauthtokens.models import TokenSet

LOADED_BY = {"script": "src", "link": "href", "img": "src", "form": "action", "iframe": "src", "source": "src"}
OTHER_HOST = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
TRAINERS_PAGES = ("/", "/invitations/", "/invitations/upload/", "/progress/", "/progress/9001/", "/accounts/password/")
CONSOLE_PAGES = (
    *("/", "/admin/", "/admin/oauthtokens/tokenset/", "/admin/coursehub/course/"),
    *("/admin/coursehub/academyanswer/", "/admin/coursehub/academyprofile/"),
)


class Page(HTMLParser):
    """The parts of a page that the tests ask about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = html
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        named = [attrs for one, attrs in self.tags if one == tag]
        return [attrs for attrs in named if all(attrs.get(key) == value for key, value in wanted.items())]

    @property
    def title(self) -> str:
        return " ".join(re.search(r"<title>(.*?)</title>", self.text, re.DOTALL).group(1).split())


def assert_complete(html: str) -> Page:
    page = Page(html)
    assert re.fullmatch(r".+ \| CourseHub", page.title), page.title
    assert len(page.all("main", id="content")) == 1
    assert page.all("a", href="#content"), "no link past the navigation"
    assert len(page.all("h1")) == 1
    assert page.all("a", href=settings.SOURCE_URL), "no link to the source"
    assert "AGPL-3.0-or-later" in html
    for tag, attribute in LOADED_BY.items():
        for attrs in page.all(tag):
            assert not OTHER_HOST.match(attrs.get(attribute) or ""), f"{tag} loads {attrs[attribute]}"
    return page


@pytest.fixture
def course(person):
    course = Course.objects.create(course_id="9001", name="Safety <b>at work</b>", polled_at=timezone.now())
    CourseAccess.objects.create(user=person("trainer"), course=course)
    return course


@pytest.fixture
def batch(person, course):
    """`batch(state)`: a batch in that state with one row in every state a row can have."""

    def make(state: str) -> Batch:
        batch = Batch.objects.create(
            course_id=course.course_id, course_name=course.name, filename="<i>list</i>.csv",
            uploaded_by=person("trainer"), created_at=timezone.now(), state=state, reason="", total=10,
        )  # fmt: skip
        for line, row_state in enumerate(Invitation.State.values, start=2):
            address = f"learner{line}@example.org"
            Invitation.objects.create(
                batch=batch, course_id="9001", line=line, email=address, email_folded=address,
                first_name="<script>alert(1)</script>", state=row_state,
            )  # fmt: skip
        return batch

    return make


@pytest.mark.parametrize("role", [roles.TRAINER, roles.ADMINISTRATOR])
@pytest.mark.parametrize("path", TRAINERS_PAGES)
def test_trainers_pages_are_complete(client_for, course, role, path):
    answer = client_for(role).get(path)

    assert answer.status_code == 200
    page = assert_complete(answer.content.decode())
    assert page.all("form", id="logout-form", method="post"), "no way to sign out"
    assert "<b>at work</b>" not in answer.content.decode()


@pytest.mark.parametrize("role", sorted(roles.CONSOLE_ROLES))
@pytest.mark.parametrize("path", CONSOLE_PAGES)
def test_the_admins_pages_are_complete(client_for, course, role, path):
    assert_complete(client_for(role).get(path).content.decode())


@pytest.mark.parametrize("state", [state for state in Batch.State.values if state != Batch.State.UPLOADED])
def test_a_batch_in_every_state_is_complete_and_escapes_what_was_uploaded(client_for, batch, state):
    html = client_for(roles.TRAINER).get(f"/invitations/{batch(state).pk}/").content.decode()

    assert_complete(html)
    assert "<script>alert(1)" not in html
    assert "<i>list</i>" not in html


def test_a_trainer_without_a_course_is_told_whom_to_ask(client_for):
    html = client_for(roles.TRAINER).get("/invitations/upload/").content.decode()

    assert_complete(html)
    assert "Ask for access" in html
    assert 'type="file"' not in html


def test_the_upload_form_alerts_only_when_something_is_wrong(client_for, course):
    client = client_for(roles.TRAINER)

    assert 'role="alert"' not in client.get("/invitations/upload/").content.decode()
    refused = client.post("/invitations/upload/", {"course": "9001"}).content.decode()
    assert re.search(r'role="alert">Choose a file to upload, or paste a list\.<', refused)


def test_a_stranger_sees_a_complete_login_page_and_one_sentence_when_it_fails(client_for, database):
    client = client_for("anonymous")

    page = assert_complete(client.get("/accounts/login/").content.decode())
    assert not page.all("form", id="logout-form")
    failed = client.post("/accounts/login/", {"username": "nobody", "password": "wrong"}).content.decode()
    assert len(Page(failed).all("span", role="alert")) == 1


def test_the_demo_accounts_are_shown_in_the_demo_only(client_for, database, settings):
    client = client_for("anonymous")

    settings.DEMO = False
    assert "coursehub-demo" not in client.get("/accounts/login/").content.decode()
    settings.DEMO = True
    assert "coursehub-demo" in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("role", ["anonymous", "stranger", roles.TRAINER])
def test_a_missing_page_is_complete_for_everybody(client_for, role):
    answer = client_for(role).get("/there/is/nothing/here")

    assert answer.status_code == 404
    assert_complete(answer.content.decode())


def test_a_forbidden_page_says_who_is_signed_in(client_for):
    answer = client_for(roles.TRAINER).get("/admin/")

    assert answer.status_code == 403
    assert_complete(answer.content.decode())
    assert "<strong>trainer</strong>" in answer.content.decode()


def test_a_form_without_its_token_gets_a_complete_page(client_for):
    client = client_for(roles.TRAINER)
    client.handler.enforce_csrf_checks = True

    answer = client.post("/invitations/upload/")

    assert answer.status_code == 403
    assert_complete(answer.content.decode())


@pytest.mark.parametrize("template", ["400.html", "500.html"])
def test_the_pages_of_last_resort_need_no_context_and_load_nothing(template):
    page = assert_complete(engines["django"].get_template(template).render())

    assert not page.all("script")
    assert not page.all("link")


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_side_bar_leads_only_where_the_role_may_go(client_for, role):
    client = client_for(role)
    places = [place for group in navigation.navigation(frozenset({role}), "/") for place in group["places"]]

    assert places
    for place in places:
        assert client.get(place["url"]).status_code == 200, place["title"]


def test_the_side_bar_marks_the_nearest_place():
    groups = navigation.navigation(frozenset({roles.ADMINISTRATOR}), "/admin/auth/user/3/change/")

    assert [place["title"] for group in groups for place in group["places"] if place["active"]] == ["People"]


def test_our_styles_and_scripts_load_nothing_from_another_host():
    folder = Path(finders.find(theme.ICON)).parent
    for path in [*folder.rglob("*.css"), *folder.rglob("*.js")]:
        assert not re.search(r"""(?:url\(|from |import\(|fetch\()\s*["']?(?:https?:)?//""", path.read_text()), path


def test_every_state_has_a_word_and_every_row_belongs_somewhere():
    for model in (Batch, Invitation, TokenSet):
        for state in model.State.values:
            assert badges.label(state)
            assert "_" not in badges.label(state)
    assert sorted(badges.INVITATION_STATES) == sorted(Invitation.State.values)
    assert sorted(badges.GROUPS["planned"] + badges.GROUPS["left_out"]) == sorted(Invitation.State.values)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (90_000, "25 h"),
        (200_000, "2 days"),
    ],
)
def test_lengths_of_time_take_one_or_two_words(seconds, words):
    template = engines["django"].from_string("{% load coursehub %}{{ seconds|duration }}")

    assert template.render({"seconds": seconds}) == words


def test_an_age_is_a_time_that_scripts_can_read():
    template = engines["django"].from_string("{% load coursehub %}{{ at|age }}, {{ never|age }}")

    text = template.render({"at": "2026-01-05T09:00:00Z", "never": None})

    assert '<time datetime="2026-01-05T09:00:00+00:00"' in text
    assert text.endswith("</time>, never")


def test_token_sets_show_no_token(database):
    text = render_to_string(
        "coursehub/token_sets.html", {"token_sets": [TokenSet(pk=1, number=1, refresh_token="1000.x")]}
    )

    assert "Set 1" in text
    assert "1000.x" not in text


def test_no_two_parts_of_the_pages_share_the_name_of_a_block():
    folder = Path(finders.find("coursehub/css/pages.css")).parent
    blocks = [name for sheet in folder.glob("*.css") for name in re.findall(r"^\.(ch-\w+) \{", sheet.read_text(), re.M)]

    assert sorted(name for name in set(blocks) if blocks.count(name) > 1) == []
