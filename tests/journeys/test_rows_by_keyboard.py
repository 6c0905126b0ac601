"""A trainer with a keyboard and a small screen: finds a learner, turns pages, puts a preview away."""

import re

import pytest
from playwright.sync_api import expect

from coursehub.models import Course
from tests.support.invitations import rows as rows_of_tests

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

MOST_STOPS = 120
FOCUSED = "document.activeElement.matches(%r)"


def _tab_to(page, selector: str) -> None:
    """Tab on until the focus is there."""
    for _ in range(MOST_STOPS):
        if page.evaluate(FOCUSED % selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


def _lines(page):
    return page.locator("#rows-table tbody td[data-cell=line]")


def _fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def trainer(sign_in):
    page = sign_in("trainer")
    page.set_viewport_size({"width": 390, "height": 844})
    return page


@pytest.fixture
def batch(academy, person):
    return rows_of_tests.batch_of(person("trainer"), Course.objects.order_by("course_id").first(), 300)


def test_a_learner_is_found_and_pages_are_turned_by_keyboard(trainer, batch):
    trainer.goto(f"/invitations/{batch.pk}/")
    expect(_lines(trainer).first).to_have_text(str(rows_of_tests.line_of(99)))
    assert _fits(trainer)
    _tab_to(trainer, "#rows-q")
    trainer.keyboard.type("ADA12 lovelace-12")
    trainer.keyboard.press("Enter")
    expect(trainer.locator("#rows-found")).to_contain_text("hold")
    expect(trainer.locator("#rows-table")).to_contain_text("learner.12@mail12.example.org")
    expect(trainer.locator("#rows-q")).to_have_value("ADA12 lovelace-12")
    assert _fits(trainer)
    _tab_to(trainer, "#rows-found a")
    trainer.keyboard.press("Enter")
    expect(_lines(trainer)).to_have_count(50)
    _tab_to(trainer, "#rows-order")
    trainer.keyboard.press("Enter")
    expect(_lines(trainer).first).to_have_text("2")
    _tab_to(trainer, "#page-number")
    trainer.keyboard.press("Control+a")
    trainer.keyboard.type("4")
    trainer.keyboard.press("Enter")
    expect(_lines(trainer).first).to_have_text(str(rows_of_tests.line_of(150)))
    assert re.search(r"\?order=line&page=4#rows$", trainer.url), trainer.url
    _tab_to(trainer, "#rows a[rel=next]")
    trainer.keyboard.press("Enter")
    expect(_lines(trainer).first).to_have_text(str(rows_of_tests.line_of(200)))
    assert _fits(trainer)


def test_a_preview_is_discarded_by_keyboard_and_the_list_is_searched(trainer, batch):
    trainer.goto(f"/invitations/{batch.pk}/")
    _tab_to(trainer, "#discard-button")
    trainer.keyboard.press("Enter")
    dialog = trainer.get_by_role("dialog", name="Discard this preview?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    trainer.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    _tab_to(trainer, "#discard-button")
    trainer.keyboard.press("Enter")
    trainer.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Discard it")).to_be_focused()
    trainer.keyboard.press("Enter")
    trainer.wait_for_url("**/invitations/")
    expect(trainer.get_by_text("“many.csv” is discarded")).to_be_visible()
    _tab_to(trainer, "#batches-q")
    trainer.keyboard.type("Learner.7@")
    trainer.keyboard.press("Enter")
    expect(trainer.locator("#batches tbody tr")).to_have_count(1)
    assert _fits(trainer)
    _tab_to(trainer, "#batches-q")
    trainer.keyboard.press("Control+a")
    trainer.keyboard.type("nobody@")
    trainer.keyboard.press("Enter")
    expect(trainer.get_by_text("No batch holds “nobody@”")).to_be_visible()


def test_rows_of_a_running_batch_are_filled_in_by_the_script_as_the_server_wrote_them(trainer, batch):
    """The script's rows, courses and numbers are those of the page."""
    from coursehub.mongo import outside_transaction
    from invitations.models import Batch, Invitation

    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.PAUSED, reason="Paused by trainer.")
    trainer.goto(f"/invitations/{batch.pk}/?q=learner.1&size=25&page=2")
    rows = trainer.locator("#rows-table tbody")
    expect(rows.locator("tr")).to_have_count(25)
    before = rows.inner_text()
    expect(trainer.locator("[data-live=live]")).to_be_visible()
    line = int(_lines(trainer).first.inner_text())
    outside_transaction(Invitation).update_one({"batch_id": batch.pk.hex, "line": line}, {"$set": {"state": "revoked"}})
    expect(rows.locator("tr").first).to_contain_text("Access revoked")
    assert rows.inner_text().replace("Access revoked", "Pending") == before
