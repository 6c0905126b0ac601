"""The main job, by hand: upload, preview, confirm, watch it end, watch learners advance."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

COURSE = 0  # the first in the list
CSV = "email,first name,last name\n" + "".join(f"learner{n}@example.org,Learner,No {n}\n" for n in range(40))
BAD_LINES = "not-an-address,Bad,Row\nlearner3@example.org,Learner,Twice\n"


def _upload(page, text: str) -> None:
    page.goto("/invitations/upload/")
    page.get_by_label("Course").select_option(index=1)
    page.set_input_files("input[type=file]", {"name": "class.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Upload and preview").click()


def test_a_trainer_invites_a_class_and_everybody_sees_it(sign_in, academy):
    trainer = sign_in("trainer")
    _upload(trainer, CSV + BAD_LINES)
    trainer.wait_for_url(re.compile(r"/invitations/[0-9a-f-]{36}/"))
    expect(
        trainer.get_by_text("line 42", exact=False).or_(trainer.get_by_role("cell", name="42", exact=True)).first
    ).to_be_visible()
    trainer.get_by_role("button", name=re.compile("^(Confirm|Send)")).click()
    # Live, without a reload: the page counts up by itself until all rows have a result.
    expect(trainer.get_by_text("Completed").first).to_be_visible(timeout=60_000)
    batch_path = trainer.url.split("/", 3)[3]
    status = trainer.request.get(f"/{batch_path}status.json").json()
    assert status["counts"] == {"invited": 40, "invalid": 1, "duplicate": 1}
    assert all(entry["count"] == 1 for entry in academy.counters()["invitations"])
    assert len(academy.counters()["invitations"]) == 40

    administrator = sign_in("admin")
    administrator.goto("/admin/invitations/batch/")
    expect(administrator.get_by_text("class.csv").first).to_be_visible()
    maintenance = sign_in("maintenance")
    maintenance.goto("/admin/oauthtokens/tokenset/")
    expect(maintenance.get_by_text("Active").first).to_be_visible()
    assert maintenance.goto("/invitations/").status == 403
    assert trainer.goto("/admin/").status == 403


PERCENTAGES = "Array.from(document.querySelectorAll('#members [data-cell=percent]'), cell => cell.innerText).join()"


def test_a_trainer_watches_learners_advance_without_a_reload(sign_in, academy):
    trainer = sign_in("trainer")
    trainer.goto("/progress/")
    trainer.locator("main a[href^='/progress/']").first.click()
    course_path = trainer.url.split("/", 3)[3]
    trainer.evaluate("window.neverReloaded = true")
    expect(trainer.locator("#members tr[data-member]").nth(5)).to_be_visible(timeout=30_000)
    before, shown = trainer.request.get(f"/{course_path}status.json").json(), trainer.evaluate(PERCENTAGES)
    academy.advance(7 * 24 * 3600)
    trainer.wait_for_function(f"shown => {PERCENTAGES} !== shown", arg=shown, timeout=30_000)
    after = trainer.request.get(f"/{course_path}status.json").json()
    assert after["revision"] > before["revision"]
    assert trainer.evaluate("window.neverReloaded")


def test_bad_files_come_back_with_one_sentence_and_store_nothing(sign_in):
    trainer = sign_in("trainer")
    for text, words in [("", "empty"), ("name\nAda\n", "e-mail column"), ("email\nnobody\n", "None of the 1 rows")]:
        _upload(trainer, text)
        expect(trainer.locator("main [role=alert]")).to_contain_text(words)
    trainer.goto("/invitations/")
    expect(trainer.locator("main table tbody tr")).to_have_count(0)
