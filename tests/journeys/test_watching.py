"""Two roles watch the same course while the sandbox's learners advance; what is not theirs stays closed."""

import pytest
from playwright.sync_api import expect

from coursehub.models import Course, CourseAccess

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

SHOWN = """Object.fromEntries(Array.from(document.querySelectorAll('#members tr[data-member]'),
    row => [row.dataset.member, row.querySelector('[data-cell=percent]').innerText]))"""
CLOSE_CODE = """path => new Promise(done => {
    const socket = new WebSocket(`ws://${location.host}${path}`);
    socket.onclose = event => done(event.code);
    socket.onmessage = () => done('a frame');
})"""


def _as_shown(status: dict) -> dict[str, str]:
    return {member["id"]: f"{int(member['percent'])} %" for member in status["members"]}


def test_a_trainer_and_an_administrator_see_the_same_move_and_a_foreign_course_stays_closed(sign_in, academy):
    trainer, administrator, other = sign_in("trainer"), sign_in("admin"), sign_in("trainer2")
    course_id = CourseAccess.objects.filter(user__username="trainer").first().course.course_id
    CourseAccess.objects.filter(user__username="trainer2", course__course_id=course_id).delete()
    watching = (trainer, administrator)
    for page in watching:
        page.goto(f"/progress/{course_id}/")
        expect(page.locator("#members tr[data-member]").nth(5)).to_be_visible(timeout=30_000)
        expect(page.locator("[data-live=live]")).to_be_visible()
        page.evaluate("window.neverReloaded = true")
    before = trainer.evaluate(SHOWN)
    academy.advance(7 * 24 * 3600)
    for page in watching:
        page.wait_for_function(
            f"before => JSON.stringify({SHOWN}) !== before", arg=_compact(page, before), timeout=40_000
        )
    _wait_until_both_show_the_database(watching, course_id)
    assert all(page.evaluate("window.neverReloaded") for page in watching)
    assert other.goto(f"/progress/{course_id}/").status == 403
    other.goto("/progress/")
    for foreign in (course_id, "4711"):
        assert other.evaluate(CLOSE_CODE, f"/ws/progress/{foreign}/") == 4403


def test_what_a_reader_chooses_stands_in_the_address_and_survives_a_reload(sign_in, academy):
    trainer = sign_in("trainer")
    course_id = Course.objects.filter(courseaccess__user__username="trainer").first().course_id
    trainer.goto(f"/progress/{course_id}/")
    expect(trainer.locator("[data-live=live]")).to_be_visible()
    expect(trainer.locator("#members tr[data-member]").nth(5)).to_be_visible(timeout=30_000)
    trainer.get_by_label("Which learners").select_option("under_way")
    trainer.locator("[data-sort=percent]").click()
    trainer.wait_for_url("**/?show=under_way&sort=-percent")
    ids = "Array.from(document.querySelectorAll('#members tbody tr'), row => row.dataset.member)"
    chosen = trainer.evaluate(ids)
    export = trainer.locator("#exports [data-separator=semicolon]")
    assert "export.csv?show=under_way&sort=-percent&separator=semicolon" in export.get_attribute("href")
    trainer.reload()
    assert trainer.evaluate(ids) == chosen
    expect(trainer.locator("th[aria-sort=descending]")).to_contain_text("Progress")
    assert "show=under_way&sort=-percent" in trainer.locator("#export").get_attribute("href")


def test_a_report_is_fetched_after_a_click_and_appears_by_itself(sign_in, academy):
    trainer = sign_in("trainer")
    course_id = Course.objects.filter(courseaccess__user__username="trainer").first().course_id
    trainer.goto(f"/progress/{course_id}/?sort=-percent")
    expect(trainer.locator("#members tr[data-member]").nth(5)).to_be_visible(timeout=30_000)
    trainer.locator("#members tbody a").first.click()
    trainer.wait_for_url("**/learners/**")
    trainer.get_by_role("button", name="Fetch from TrainerCentral").first.click()
    expect(trainer.get_by_role("cell", name="Lesson 1", exact=True)).to_be_visible(timeout=30_000)
    expect(trainer.get_by_text("fetched", exact=False).first).to_be_visible()


def _compact(page, shown: dict) -> str:
    return page.evaluate("shown => JSON.stringify(shown)", shown)


def _wait_until_both_show_the_database(pages, course_id: str) -> None:
    """The academy stands still again, so both tables come to equal status.json."""
    for page in pages:
        for _ in range(60):
            shown, status = page.evaluate(SHOWN), page.request.get(f"/progress/{course_id}/status.json").json()
            if shown == _as_shown(status):
                break
            page.wait_for_timeout(250)
        assert shown == _as_shown(status)
