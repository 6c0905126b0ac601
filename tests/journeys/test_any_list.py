"""Lists as trainers have them, in a browser: pasted by keyboard alone, and a workbook of several sheets and back."""

import io
import re

import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from invitations import results_workbook
from tests.support.workbooks import xlsx

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PREVIEW = re.compile(r"/invitations/[0-9a-f-]{36}/")
PASTED = "Ada Lovelace <ada@example.org>; Hopper, Grace <grace@example.org>; nobody"
STAFF = [["email", "name"], ["boss@example.org", "The Boss"]]
LEARNERS = [
    ["Class of 2027"],
    ["E-Mail", "Name"],
    ["alan@example.org", "Alan Turing"],
    ["emmy@example.org", "Emmy Noether"],
]


def _invited(academy) -> list[str]:
    return sorted(entry["email"] for entry in academy.counters()["invitations"])


def test_a_list_is_pasted_and_confirmed_by_keyboard_alone(sign_in, academy):
    trainer = sign_in("trainer")
    trainer.goto("/invitations/upload/")
    trainer.get_by_label("Course").focus()
    trainer.keyboard.press("ArrowDown")
    for _ in range(2):  # over the field for a file
        trainer.keyboard.press("Tab")
    expect(trainer.get_by_label("Or paste the list")).to_be_focused()
    trainer.keyboard.insert_text(PASTED)
    expect(trainer.locator("#paste-count")).to_have_text("2 with an @.")
    trainer.keyboard.press("Tab")
    trainer.keyboard.press("Enter")
    trainer.wait_for_url(PREVIEW)
    expect(trainer.get_by_text("Not an e-mail address").first).to_be_visible()
    trainer.locator("#confirm-button").focus()
    trainer.keyboard.press("Enter")
    expect(trainer.get_by_text("Completed").first).to_be_visible(timeout=60_000)
    assert _invited(academy) == ["ada@example.org", "grace@example.org"]


def test_a_file_and_a_pasted_list_at_once_are_refused_on_the_page(sign_in):
    trainer = sign_in("trainer")
    trainer.goto("/invitations/upload/")
    trainer.set_input_files(
        "input[type=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"email\na@b.org\n"}
    )
    trainer.get_by_label("Or paste the list").fill("ada@example.org")
    expect(trainer.locator("#upload-error")).to_contain_text("take one of them away")
    trainer.get_by_role("button", name="Take the file away").click()
    expect(trainer.locator("#upload-error")).to_be_hidden()


def test_on_a_phone_another_sheet_is_chosen_and_the_results_are_a_workbook(sign_in, academy):
    trainer = sign_in("trainer")
    trainer.set_viewport_size({"width": 390, "height": 844})
    trainer.goto("/invitations/upload/")
    trainer.get_by_label("Course").select_option(index=1)
    content = xlsx(("Staff", STAFF), ("Class", LEARNERS))
    trainer.set_input_files(
        "input[type=file]", {"name": "class.xlsx", "mimeType": results_workbook.CONTENT_TYPE, "buffer": content}
    )
    trainer.get_by_role("button", name="Upload and preview").click()
    trainer.wait_for_url(PREVIEW)
    expect(trainer.locator("#rows-table").get_by_text("boss@example.org")).to_be_visible()
    trainer.get_by_role("form", name="Sheet of the workbook").get_by_role("button", name="Class").click()
    expect(trainer.locator("#rows-table").get_by_text("alan@example.org")).to_be_visible()
    expect(trainer.locator("#rows-table").get_by_text("boss@example.org")).to_have_count(0)
    assert trainer.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    trainer.locator("#confirm-button").click()
    expect(trainer.get_by_text("Completed").first).to_be_visible(timeout=60_000)
    assert _invited(academy) == ["alan@example.org", "emmy@example.org"]
    with trainer.expect_download() as downloading:
        trainer.get_by_role("link", name="Results as a workbook").click()
    made = downloading.value.path().read_bytes()
    rows = list(CalamineWorkbook.from_filelike(io.BytesIO(made)).get_sheet_by_index(0).iter_rows())
    assert [row[0] for row in rows] == ["Class of 2027", "E-Mail", "alan@example.org", "emmy@example.org"]
    assert [row[2] for row in rows][1:] == ["coursehub_status", "invited", "invited"]
